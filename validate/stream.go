package validate

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"strconv"

	"github.com/emospan/emospan/dataset"
)

// StreamOptions say how to validate a stream. The zero value takes every
// default.
type StreamOptions struct {
	Name    string // of the stream, in errors
	MaxLine int    // bytes; 0 means dataset.DefaultMaxLine
	Samples int    // ids kept for each code; 0 means 5
	Fix     bool   // mend each record first, as [Fix] does, and its JSON's shape
	Workers int    // goroutines that check; 0 means GOMAXPROCS

	// Context, unless nil, ends the stream with its cause.
	Context context.Context

	// IDs are the ids of the streams before this one, to which this one's are
	// added; nil means none.
	IDs *dataset.IDSet

	// Each is called for every line in order, from the goroutine that called
	// Stream. An error ends the stream and is returned as it is.
	Each func(Result) error
}

// Result is the verdict on one line. Raw and Record, the lists in it included,
// are used again for lines to come.
type Result struct {
	Line     int             // from 1: in an array its element, in Parquet its row; see dataset.JSONReader
	Raw      []byte          // nil if the line was too long
	Record   *dataset.Record // nil if the line was not JSON
	Problems []Problem       // none for a valid record
	Changes  []Change        // what made it valid; none for one that was, or is not

	checked bool // the content was, not the schema alone
}

// Stream validates records one by one, however they lie in the stream: as JSON
// lines, an array or Parquet (see [dataset.JSONReader]); below, each is called a
// line. A bad line, one that is too long included, is a problem of that line; a
// blank one is none. The error is the source's, the
// context's or Each's. A [dataset.Record] whose schema is at fault is not
// checked further.
//
// Lines are checked by several goroutines and come out in their order, the same
// whatever their number. Memory is bounded by the lines being checked, up to a
// few dozen kilobytes or one long line for each of a few batches, and what a
// [dataset.IDSet] takes. Where Each or the context ends the stream early, a read that waits for
// the source is left behind.
func Stream(src io.Reader, tax *dataset.Taxonomy, opts StreamOptions) (Summary, error) {
	opts.Samples = cmp.Or(opts.Samples, 5)
	opts.Workers = cmp.Or(opts.Workers, runtime.GOMAXPROCS(0))
	if opts.IDs == nil {
		opts.IDs = new(dataset.IDSet)
	}
	if opts.Context == nil {
		opts.Context = context.Background()
	}
	sum := NewSummary()
	p := newPipeline(dataset.NewJSONReader(src, opts.MaxLine), tax, &opts)
	defer p.close()
	for {
		var b *batch
		select {
		case b = <-p.ordered:
		case <-opts.Context.Done():
			return sum, context.Cause(opts.Context)
		}
		<-b.checked
		for i := range b.results {
			res := &b.results[i]
			res.identify(&opts)
			sum.add(res, opts.Samples)
			if opts.Each != nil {
				if err := opts.Each(*res); err != nil {
					return sum, err
				}
			}
		}
		switch b.err {
		case nil:
			p.release(b)
		case io.EOF:
			return sum, nil
		default:
			return sum, b.err
		}
	}
}

func (res *Result) check(rec *dataset.Record, tax *dataset.Taxonomy, fix bool) {
	ok := scanInto(rec, res.Raw, tax)
	if !ok {
		line := res.Raw
		if fix {
			if shaped, changes, object := reshape(line, tax); object {
				line, res.Changes = shaped, changes
			}
		}
		ok, res.Problems = decodeInto(rec, line, tax)
	}
	if ok {
		res.Record = rec
	}
	if len(res.Problems) == 0 {
		res.checked = true
		if res.Problems = Record(rec, tax); len(res.Problems) > 0 && fix {
			res.Changes = append(res.Changes, Fix(rec, tax)...)
			res.Problems = Record(rec, tax)
		}
	}
	if len(res.Problems) > 0 {
		res.Changes = nil // they come to nothing
	}
}

// identify looks for the record's id among those before it.
func (res *Result) identify(opts *StreamOptions) {
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
		res.Changes = nil
	}
}
