package tagger

import (
	"fmt"
	"math"
	"slices"

	"github.com/emospan/emospan/dataset"
)

// A TaxonomyError says that a calibration does not read a taxonomy's fields.
type TaxonomyError struct{ Reason string }

func (e *TaxonomyError) Error() string {
	return e.Reason + "; calibrate again with this taxonomy, and texts that have all of its values"
}

func otherTaxonomy(format string, args ...any) error {
	return &TaxonomyError{fmt.Sprintf(format, args...)}
}

// check reports what makes a calibration unusable for a taxonomy, and unpacks its weights.
func (c *Calibration) check(tax *dataset.Taxonomy) error {
	switch {
	case c.Version != CalibrationVersion:
		return fmt.Errorf("its format is version %d, this program reads %d; make it again", c.Version, CalibrationVersion)
	case c.Prefix == "" || c.After == "":
		return fmt.Errorf("it has no prefix, or nothing after the text")
	case c.Width < 1 || c.Width > 1<<16 || len(c.Layers) == 0 || c.LayerCount > 1<<12:
		return fmt.Errorf("it has no layers, or states of a width out of range")
	case c.Longest < 0:
		return fmt.Errorf("the longest text has %d words", c.Longest)
	}
	for i, l := range c.Layers {
		if l < 0 || l >= c.LayerCount || slices.Contains(c.Layers[:i], l) {
			return fmt.Errorf("layer %d is none of %d, or stands twice", l, c.LayerCount)
		}
	}
	if err := c.Rows.check(c.size()); err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if err := c.End.check(c.size()); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	if c.Neutral != tax.Neutral() {
		return otherTaxonomy("its neutral emotion is %q, the taxonomy's is %q", c.Neutral, tax.Neutral())
	}
	if err := c.checkEmotions(tax); err != nil {
		return err
	}
	for _, f := range []*FieldReading{&c.Targets.Kind, &c.Targets.Relation} {
		width := SpanVectors * c.size()
		if f == &c.Targets.Relation {
			width = RelationVectors * c.size()
		}
		if err := f.check(width); err != nil {
			return err
		}
	}
	if err := c.Targets.Words.check(1, c.targetSize()); err != nil || !finite(c.Targets.Extend) {
		return fmt.Errorf("targets: %w", orNumber(err))
	}
	if !within(c.Targets.Kind.Values, []string{TargetNone, TargetText, TargetUnsaid}) {
		return fmt.Errorf("targets: kinds are %q", c.Targets.Kind.Values)
	}
	relations := slices.DeleteFunc(slices.Clone(tax.Attr(dataset.AttrTargetRelation).Values), func(v string) bool { return v == dataset.RelationNone })
	if !within(c.Targets.Relation.Values, relations) {
		return otherTaxonomy("relations are %q, the taxonomy has %q", c.Targets.Relation.Values, relations)
	}
	for i := range c.Fields {
		f := &c.Fields[i]
		if err := f.check(SpanVectors * c.size()); err != nil {
			return err
		}
		if values := FieldValues(tax, f.Name); !within(f.Values, values) {
			return otherTaxonomy("%s: its values are %q, the taxonomy's %q", f.Name, f.Values, values)
		}
	}
	for _, name := range FieldNames(tax) {
		if c.Field(name) == nil {
			return otherTaxonomy("it does not read the taxonomy's attribute %s", name)
		}
	}
	return nil
}

// check unpacks the weights for classes.
func (b *Bag) check(classes int) error {
	if b.Vocabulary == nil {
		return fmt.Errorf("weights without words")
	}
	rows, err := b.Weights.Unpack()
	if err != nil {
		return fmt.Errorf("words: %w", err)
	}
	if len(rows) != classes || len(rows[0]) != b.Vocabulary.Len() {
		return fmt.Errorf("want weights of %d words for %d emotions", b.Vocabulary.Len(), classes)
	}
	b.words = make([][]float32, b.Vocabulary.Len())
	for w := range b.words {
		b.words[w] = make([]float32, classes)
		for class := range rows {
			b.words[w][class] = rows[class][w]
		}
	}
	return nil
}

func (c *Calibration) checkEmotions(tax *dataset.Taxonomy) error {
	e := &c.Emotions
	for i, name := range e.Names {
		if _, ok := tax.Emotion(name); !ok || slices.Index(e.Names, name) != i {
			return otherTaxonomy("emotion %q is not in the taxonomy, or stands twice", name)
		}
	}
	for _, emotion := range tax.Emotions() {
		if !slices.Contains(e.Names, emotion.Name) {
			return otherTaxonomy("it does not read the taxonomy's emotion %s", emotion.Name)
		}
	}
	n := len(e.Names)
	if len(e.Thresholds) != n || !finite(append([]float64{e.Sureness.Slope, e.Sureness.Threshold, e.Sureness.Offset}, e.Thresholds...)...) {
		return fmt.Errorf("emotions: want %d finite thresholds, and finite numbers for how sure they are", n)
	}
	if e.Map == nil && e.WordScores == nil {
		return fmt.Errorf("emotions: want a map or scores of words")
	}
	if e.WordScores != nil {
		if err := e.WordScores.check(n); err != nil {
			return fmt.Errorf("emotions: %w", err)
		}
	}
	if e.Map != nil {
		err := e.Map.check(n, TextVectors*c.size())
		if err == nil {
			err = CheckExamples(e.Names, e.Examples)
		}
		if err != nil {
			return fmt.Errorf("emotions: %w", err)
		}
	}
	for i := range e.Bags {
		if err := e.Bags[i].check(n); err != nil {
			return fmt.Errorf("emotions: %w", err)
		}
	}
	s := &c.Spans
	if err := s.Map.check(1, c.wordSize()); err != nil {
		return fmt.Errorf("spans: %w", err)
	}
	if err := s.Emotions.check(len(s.Names), c.wordSize()); err != nil || !finite(s.Weight, s.Extend, s.Second, s.Alone) {
		return fmt.Errorf("spans: %w", orNumber(err))
	}
	for _, name := range e.Names {
		if name != c.Neutral && !slices.Contains(s.Names, name) {
			return otherTaxonomy("it finds no spans of %s", name)
		}
	}
	return nil
}

func orNumber(err error) error {
	if err == nil {
		return fmt.Errorf("a number is not finite")
	}
	return err
}

func (s *Scale) check(size int) error {
	if len(s.Means) != size || len(s.Deviations) != size {
		return fmt.Errorf("want %d means and deviations", size)
	}
	for i, d := range s.Deviations {
		if !finite(float64(d), float64(s.Means[i])) || d <= 0 {
			return fmt.Errorf("want finite means and deviations above 0")
		}
	}
	return nil
}

// check unpacks the weights of a map of so many classes from vectors of a width.
func (m *Map) check(classes, width int) (err error) {
	if m.rows, err = m.Weights.Unpack(); err != nil {
		return err
	}
	if len(m.rows) != classes || len(m.Bias) != classes || !finite(m.Bias...) {
		return fmt.Errorf("want a map to %d scores", classes)
	}
	for _, row := range m.rows {
		if len(row) != width {
			return fmt.Errorf("want a map of %d numbers", width)
		}
	}
	return nil
}

func (f *FieldReading) check(width int) error {
	err := f.Map.check(len(f.Values), width)
	if err == nil && (len(f.Values) == 0 || len(f.Shift) != len(f.Values) || f.Temperature <= 0 || !finite(append(f.Shift, f.Temperature)...)) {
		err = fmt.Errorf("want values, a finite shift for each and a temperature above 0")
	}
	if err == nil {
		err = CheckExamples(f.Values, f.Examples)
	}
	if err != nil {
		return fmt.Errorf("field %s: %w", dataset.ShownName(f.Name), err)
	}
	return nil
}

// CheckExamples reports which value has fewer than MinExamples.
func CheckExamples(values []string, examples []int) error {
	if len(examples) != len(values) {
		return fmt.Errorf("want the number of examples of each value")
	}
	for i, n := range examples {
		if n < MinExamples {
			return fmt.Errorf("%s has %d examples, at least %d are needed", dataset.ShownName(values[i]), n, MinExamples)
		}
	}
	return nil
}

func finite(numbers ...float64) bool {
	return !slices.ContainsFunc(numbers, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

// within reports whether all values are among others, each once.
func within(values, others []string) bool {
	for i, v := range values {
		if !slices.Contains(others, v) || slices.Contains(values[:i], v) {
			return false
		}
	}
	return len(values) > 0
}
