package validate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// Fix normalises a record's values as [Normalize] does and recomputes, in
// place, what follows from the rest of it: the text of spans and the order they
// are listed in from their indices, labels from spans, an emotion_group that is
// none from the subtype, an attribute left empty from the taxonomy's default. A
// prediction that stands there twice is dropped. Everything else, tokens and
// indices above all, is the annotator's word: [Record] judges it.
//
// It returns the changes; a valid record has none, so that fixing twice is
// fixing once.
func Fix(r *dataset.Record, tax *dataset.Taxonomy) []Change {
	f := fixer{r: r, tax: tax}
	if r.Level != dataset.Level && strings.EqualFold(strings.TrimSpace(r.Level), dataset.Level) {
		f.note(FixLevel, "/level", r.Level, dataset.Level)
		r.Level = dataset.Level
	}
	f.changes = append(f.changes, Normalize(r, tax)...)
	f.predictions()
	f.attributes()
	f.positions()
	return f.changes
}

type fixer struct {
	r       *dataset.Record
	tax     *dataset.Taxonomy
	changes []Change
}

func (f *fixer) note(code, path, from, to string) {
	f.changes = append(f.changes, Change{Code: code, Path: path, From: from, To: to})
}

func (f *fixer) predictions() {
	list := f.r.Predictions
	kept := list[:0]
	for i, p := range list {
		if slices.Contains(kept, p) {
			f.note(FixDuplicate, at("/predictions", i, ""), p, "")
			continue
		}
		kept = append(kept, p)
	}
	f.r.Predictions = kept
}

func (f *fixer) attributes() {
	for i := range f.r.Data.Spans {
		s := &f.r.Data.Spans[i]
		for _, v := range f.tax.Attributes() {
			value := s.Attrs.Field(v.Name)
			if value == nil || v.Has(*value) {
				continue
			}
			code, to := FixAttrDefault, v.Default
			if v.Name == dataset.AttrEmotionGroup {
				code, to = FixEmotionGroup, ""
				if e, ok := f.tax.EmotionBySubtype(s.Subtype); ok {
					to = e.Group
				}
			} else if strings.TrimSpace(*value) != "" {
				continue // it says something, though not what
			}
			if v.Name == dataset.AttrTargetRelation {
				if s.Attrs.TargetText != "" {
					continue
				}
				code, to = FixTarget, dataset.RelationNone
			}
			if to != "" {
				f.note(code, at("/data/spans", i, "/attrs/"+v.Name), *value, to)
				*value = to
			}
		}
	}
}

// positions recomputes what follows from where the spans say they lie.
func (f *fixer) positions() {
	spans, tokens := f.r.Data.Spans, len(f.r.Data.Tokens)
	for i := range spans {
		if s := &spans[i]; s.Start < 0 || s.End < s.Start || s.End >= tokens || !hasType(f.tax, s.Type) {
			return
		}
	}
	c := checkers.Get().(*checker)
	defer checkers.Put(c)
	c.r, c.tax, c.list = f.r, f.tax, nil
	c.alignment()
	aligned := c.aligned && len(c.list) == 0
	c.r, c.tax, c.list = nil, nil, nil
	if !aligned || f.contradicted(c) {
		return
	}
	for i := range spans {
		s := &spans[i]
		if want := f.r.Text[c.start[s.Start]:c.end[s.End]]; s.Text != want {
			f.note(FixSpanText, at("/data/spans", i, "/text"), s.Text, want)
			s.Text = want
		}
	}
	byStart := func(a, b dataset.Span) int { return cmp.Compare(a.Start, b.Start) }
	if !slices.IsSortedFunc(spans, byStart) {
		before := make([]int, len(spans))
		for i := range spans {
			before[i] = spans[i].Start
		}
		slices.SortStableFunc(spans, byStart)
		after := make([]int, len(spans))
		for i := range spans {
			after[i] = spans[i].Start
		}
		f.note(FixSpanOrder, "/data/spans", startsJSON(before), startsJSON(after))
	}
	f.labels()
}

// contradicted reports whether a span's text and the labels agree with each
// other and not with its indices: with ends that are exclusive, for one. Two of
// three then speak against what the third would make of them.
func (f *fixer) contradicted(c *checker) bool {
	runs := labelRuns(f.r.Data.Labels)
	if len(f.r.Data.Labels) != len(f.r.Data.Tokens) || len(runs) != len(f.r.Data.Spans) {
		return false
	}
	for i, run := range runs {
		s := &f.r.Data.Spans[i]
		if (run[0] != s.Start || run[1] != s.End) && s.Text == f.r.Text[c.start[run[0]]:c.end[run[1]]] {
			return true
		}
	}
	return false
}

// labelRuns returns the first and last token of each run that the labels mark.
func labelRuns(labels []string) (runs [][2]int) {
	before := ""
	for i, label := range labels {
		prefix, kind := splitLabel(label)
		switch {
		case prefix == 0:
			kind = ""
		case prefix == 'B' || kind != before:
			runs = append(runs, [2]int{i, i})
		default:
			runs[len(runs)-1][1] = i
		}
		before = kind
	}
	return runs
}

// labels makes the labels those of the spans, unless these overlap, or are none
// where labels mark some: then spans are missing, and nothing says which.
func (f *fixer) labels() {
	d := &f.r.Data
	if len(d.Spans) == 0 && slices.ContainsFunc(d.Labels, func(label string) bool { return label != "O" }) {
		return
	}
	want := slices.Repeat([]string{"O"}, len(d.Tokens))
	last := -1
	for i := range d.Spans {
		s := &d.Spans[i]
		if s.Start <= last {
			return
		}
		last = s.End
		want[s.Start] = "B-" + s.Type
		for t := s.Start + 1; t <= s.End; t++ {
			want[t] = "I-" + s.Type
		}
	}
	if !slices.Equal(d.Labels, want) {
		f.note(FixLabels, "/data/labels", stringsJSON(d.Labels), stringsJSON(want))
		d.Labels = want
	}
}

func stringsJSON(list []string) string {
	n := &node{kind: '['}
	for _, s := range list {
		n.elems = append(n.elems, &node{kind: '"', text: s})
	}
	return n.JSON()
}

func startsJSON(list []int) string {
	n := &node{kind: '['}
	for _, start := range list {
		n.elems = append(n.elems, numberNode(int64(start)))
	}
	return n.JSON()
}
