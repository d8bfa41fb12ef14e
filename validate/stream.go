package validate

import (
	"fmt"
	"io"
	"strconv"

	"github.com/emospan/emospan/dataset"
)

// StreamOptions say how to validate a stream. The zero value takes every
// default.
type StreamOptions struct {
	Name      string // of the stream, in errors
	MaxLine   int    // bytes; 0 means dataset.DefaultMaxLine
	Samples   int    // ids kept for each code; 0 means 5
	Normalize bool   // apply Normalize to each record first

	// IDs are the ids of the streams before this one, to which this one's are
	// added; nil means none.
	IDs *dataset.IDSet

	// Each is called for every line in order. An error ends the stream and is
	// returned as it is.
	Each func(Result) error
}

// Result is the verdict on one line. Raw and Record, the lists in it included,
// are used again for the next.
type Result struct {
	Line     int             // from 1
	Raw      []byte          // nil if the line was too long
	Record   *dataset.Record // nil if the line was not JSON
	Problems []Problem       // none for a valid record
	Changes  []Change        // made by Normalize
}

// Summary counts what a stream held.
type Summary struct {
	Records int                 `json:"records"` // lines
	Valid   int                 `json:"valid"`
	Invalid int                 `json:"invalid"`
	Changes int                 `json:"changes"` // values normalised
	Codes   map[string]int      `json:"codes"`   // records that have each code
	Samples map[string][]string `json:"samples"` // src_id of the first of them, or "line N"
}

// Stream validates a JSONL stream line by line, in memory bounded by the
// longest line it accepts and what an IDSet takes. A bad line, one that is too long
// included, is a problem of that line; a blank one is too, because a reader of
// JSON Lines may take it for a record. The error is the source's, or Each's.
// A [dataset.Record] whose schema is at fault is not checked further.
func Stream(src io.Reader, tax *dataset.Taxonomy, opts StreamOptions) (Summary, error) {
	if opts.Samples == 0 {
		opts.Samples = 5
	}
	if opts.IDs == nil {
		opts.IDs = new(dataset.IDSet)
	}
	sum := Summary{Codes: make(map[string]int), Samples: make(map[string][]string)}
	rec := new(dataset.Record)
	lines := dataset.NewLineReader(src, opts.MaxLine)
	for {
		raw, err := lines.Next()
		if err == io.EOF {
			return sum, nil
		}
		res := Result{Line: lines.Line(), Raw: raw}
		switch {
		case err == dataset.ErrLineTooLong:
			res.Problems = []Problem{{Code: CodeLineTooLong, Expected: fmt.Sprintf("at most %d bytes", lines.Max()), Found: "more"}}
		case err != nil:
			return sum, fmt.Errorf("%s:%d: %w", opts.Name, res.Line, err)
		default:
			res.check(rec, tax, &opts)
		}
		sum.add(&res, opts.Samples)
		if opts.Each != nil {
			if err := opts.Each(res); err != nil {
				return sum, err
			}
		}
	}
}

func (res *Result) check(rec *dataset.Record, tax *dataset.Taxonomy, opts *StreamOptions) {
	var ok bool
	if ok, res.Problems = decodeInto(rec, res.Raw); ok {
		res.Record = rec
	}
	if len(res.Problems) == 0 {
		if opts.Normalize {
			res.Changes = Normalize(res.Record, tax)
		}
		res.Problems = Record(res.Record, tax)
	}
	if res.Record == nil || res.Record.SrcID == "" {
		return
	}
	if file, line, dup := opts.IDs.Add(res.Record.SrcID, opts.Name, res.Line); dup {
		first := "line " + strconv.Itoa(line)
		if file != opts.Name {
			first = file + " " + first
		}
		res.Problems = append(res.Problems, Problem{
			Code: CodeDuplicateID, Path: "/src_id", Expected: "an id of its own",
			Found: quote(res.Record.SrcID) + ", which " + first + " has",
		})
	}
}

func (s *Summary) add(res *Result, samples int) {
	s.Records++
	s.Changes += len(res.Changes)
	if len(res.Problems) == 0 {
		s.Valid++
		return
	}
	s.Invalid++
	id := "line " + strconv.Itoa(res.Line)
	if res.Record != nil && res.Record.SrcID != "" {
		id = clip(res.Record.SrcID)
	}
	for i, p := range res.Problems {
		if codeBefore(res.Problems[:i], p.Code) {
			continue
		}
		s.Codes[p.Code]++
		if len(s.Samples[p.Code]) < samples {
			s.Samples[p.Code] = append(s.Samples[p.Code], id)
		}
	}
}

func codeBefore(list []Problem, code string) bool {
	for _, p := range list {
		if p.Code == code {
			return true
		}
	}
	return false
}
