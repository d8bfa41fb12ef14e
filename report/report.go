package report

import (
	"context"
	"fmt"
	"io"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// Options say what a report is made of. The zero value is a report on the records alone.
type Options struct {
	Title    string            // of the page; "" means Name's base
	Name     string            // of the source, in errors; the page shows its base, as folders are nobody else's business
	Taxonomy *dataset.Taxonomy // nil means the built-in one
	Limit    int               // how many records the page holds for its list, counted all the same; 0 means all

	Reference     Reference // nil: none
	ReferenceName string    // shown as Name is

	Manifest     *dataset.Manifest // of the run; nil: none
	ManifestNote string            // what the page says in its place
	Rejects      *Rejects          // of the run; nil: none
	RejectsNote  string            // what the page says in its place

	// Meaning explains the code of a reject; nil: no code is explained.
	Meaning func(code string) string
}

// Result is what a report was made of.
type Result struct {
	Records     int // valid ones, which are counted
	Embedded    int // those that the page holds
	Invalid     int // lines that are not valid records, which are left out but for their number
	InReference int // valid ones that the reference has
}

// Write reads records from src, however they lie (see [dataset.JSONReader]), and writes the page to w. A line that is not a valid record is no error: the page
// says how many there are and why. An error is the source's, w's or ctx's, and then w has got part of a page.
func Write(ctx context.Context, w io.Writer, src io.Reader, opts Options) (Result, error) {
	if opts.Taxonomy == nil {
		opts.Taxonomy = dataset.Default()
	}
	p := newPage(w, &opts)
	if err := p.head(); err != nil {
		return Result{}, err
	}
	c := newCounts(opts.Taxonomy)
	c.ekman = opts.Reference != nil && opts.Reference.Ekman()
	cols := newColumns(w, opts.Taxonomy, opts.Reference != nil)
	lines := dataset.NewJSONReader(src, 0)
	for {
		if ctx.Err() != nil {
			return Result{}, context.Cause(ctx)
		}
		line, err := lines.Next()
		if err == io.EOF {
			break
		}
		if err != nil && err != dataset.ErrLineTooLong {
			return Result{}, fmt.Errorf("%s: %w", lines.At(opts.Name), err)
		}
		rec, problems := decode(line, err, opts.Taxonomy)
		if len(problems) > 0 {
			c.addInvalid(problems, fmt.Sprintf("line %d", lines.Line()))
			continue
		}
		var ref *Annotation
		if opts.Reference != nil {
			if ref = opts.Reference.Lookup(rec.SrcID, rec.Text); ref != nil {
				c.addReference(rec, ref.Labels)
			}
		}
		c.add(rec)
		if opts.Limit > 0 && c.records > opts.Limit {
			continue
		}
		if err := cols.add(rec, ref); err != nil {
			return Result{}, err
		}
	}
	if err := cols.flush(); err != nil {
		return Result{}, err
	}
	result := Result{Records: c.records, Embedded: cols.records, Invalid: c.invalid, InReference: c.reference.Found}
	return result, p.body(c, cols)
}

// decode reads one line and checks it; tooLong is what the reader said of it.
func decode(line []byte, tooLong error, tax *dataset.Taxonomy) (*dataset.Record, []dataset.Reason) {
	if tooLong != nil {
		return nil, []dataset.Reason{{Code: validate.CodeLineTooLong}}
	}
	rec, problems := validate.Decode(line, tax)
	if len(problems) == 0 {
		problems = validate.Record(rec, tax)
	}
	return rec, problems
}
