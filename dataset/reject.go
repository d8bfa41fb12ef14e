package dataset

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
	Line    int      `json:"line"` // of the input, from 1
	Model   string   `json:"model"`
	Prompt  string   `json:"prompt"`
	Decode  string   `json:"decode"`
	Text    string   `json:"text"`
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
	w.int(`,"line":`, int64(r.Line))
	w.str(`,"model":`, r.Model)
	w.str(`,"prompt":`, r.Prompt)
	w.str(`,"decode":`, r.Decode)
	w.str(`,"text":`, r.Text)
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
