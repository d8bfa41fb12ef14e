package dataset

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Reason says what is wrong with a record or an input line, and where. Codes
// are stable: a group and a name joined by a dot. Path is an RFC 6901 JSON
// Pointer into the record, empty for the whole of it.
type Reason struct {
	Code     string `json:"code"`
	Path     string `json:"path"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Reject is one line of a reject log: a sample that became no record, with all
// that is needed to look into it and to run it again.
type Reject struct {
	SrcID   string   `json:"src_id"`
	File    string   `json:"file"`  // the input that has the line; left out where there is one input
	Line    int      `json:"line"`  // of the input, from 1
	Index   int      `json:"index"` // the sample's record number, from 0: the accepted ones have the numbers between
	Model   string   `json:"model"`
	Prompt  string   `json:"prompt"`
	Decode  string   `json:"decode"`
	Text    string   `json:"text"`
	Labels  []string `json:"labels"` // that came with the text; left out where none did
	Seed    int64    `json:"seed"`
	Reasons []Reason `json:"reasons"`
	Raw     string   `json:"raw"` // what the model wrote
}

// AppendJSON appends the reject to dst as one line of JSON without a newline.
// Model output may end inside a character, so bytes that are not UTF-8 become
// U+FFFD; the error is always nil.
func (r *Reject) AppendJSON(dst []byte) ([]byte, error) {
	w := jsonWriter{dst: dst, lenient: true}
	w.str(`{"src_id":`, r.SrcID)
	if r.File != "" {
		w.str(`,"file":`, r.File)
	}
	w.int(`,"line":`, int64(r.Line))
	w.int(`,"index":`, int64(r.Index))
	w.str(`,"model":`, r.Model)
	w.str(`,"prompt":`, r.Prompt)
	w.str(`,"decode":`, r.Decode)
	w.str(`,"text":`, r.Text)
	if len(r.Labels) > 0 {
		w.strs(`,"labels":`, r.Labels)
	}
	w.int(`,"seed":`, r.Seed)
	w.raw(`,"reasons":[`)
	for i, reason := range r.Reasons {
		if i > 0 {
			w.raw(`,`)
		}
		w.str(`{"code":`, reason.Code)
		w.str(`,"path":`, reason.Path)
		w.str(`,"expected":`, reason.Expected)
		w.str(`,"found":`, reason.Found)
		w.raw(`}`)
	}
	w.raw(`]`)
	w.str(`,"raw":`, r.Raw)
	w.raw(`}`)
	return w.dst, nil
}

// ParseReject reads one line of a reject log. Members that it does not know,
// which another version may have written, are passed over.
func ParseReject(line []byte) (*Reject, error) {
	r := &Reject{Index: -1} // for logs without one
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("reject: %w", err)
	}
	if r.Index < 0 && r.Line > 0 {
		r.Index = r.Line - 1
	}
	return r, nil
}
