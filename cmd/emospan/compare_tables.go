package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/agreement"
)

// write prints the report for a reader: what was paired, the averages with a column for each file, then each file's tables.
func (r *compareReport) write(w io.Writer) {
	ref := r.Reference
	fmt.Fprintf(w, "Reference %s: %s, format %s, labels on the level %s%s.\n", printable(ref.File), plural(ref.Records, "record"), ref.Format, ref.Level,
		unknownText("; not among its labels in the taxonomy and left out: ", ref.UnknownLabels))
	if b := r.Bootstrap; b.Replicates > 0 {
		fmt.Fprintf(w, "In brackets: %.0f %% intervals of %s, seed %d.\n", 100*b.Confidence, plural(b.Replicates, "bootstrap sample"), b.Seed)
	}
	fmt.Fprintln(w)
	r.columns(w, "texts", pairingRows)
	most := slices.MaxFunc(r.Files, func(a, b *agreement.Comparison) int { return len(a.Labels) - len(b.Labels) })
	for i, l := range most.Labels {
		r.columns(w, fmt.Sprintf("labels, %s level", l.Level), labelRows(i))
	}
	r.writeSpans(w)
	for _, c := range r.Files {
		for _, l := range c.Labels {
			writeClasses(w, c.File, l)
		}
		writeSpanEmotions(w, c)
		writeAttributes(w, c)
	}
}

// A compareRow is a figure of a table that has a column for each file.
type compareRow struct {
	name string
	text func(*agreement.Comparison) string
}

func (r *compareReport) columns(w io.Writer, head string, figures []compareRow) {
	rows := [][]string{{head}}
	for _, c := range r.Files {
		rows[0] = append(rows[0], c.File)
	}
	for _, f := range figures {
		row := []string{f.name}
		for _, c := range r.Files {
			row = append(row, f.text(c))
		}
		rows = append(rows, row)
	}
	writeTable(w, rows)
	fmt.Fprintln(w)
}

var pairingRows = []compareRow{
	{"records", func(c *agreement.Comparison) string { return strconv.Itoa(c.Pairing.Records) }},
	{"matched (by src_id + by text)", func(c *agreement.Comparison) string {
		return fmt.Sprintf("%d (%d + %d)", c.Pairing.Matched, c.Pairing.ByID, c.Pairing.ByText)
	}},
	{"unmatched, duplicates", func(c *agreement.Comparison) string {
		return fmt.Sprintf("%d, %d", c.Pairing.Unmatched, c.Pairing.Duplicates)
	}},
	{"of the reference: unmatched, duplicates", func(c *agreement.Comparison) string {
		return fmt.Sprintf("%d, %d", c.Pairing.ReferenceUnmatched, c.Pairing.ReferenceDuplicates)
	}},
	{"same src_id, other text", func(c *agreement.Comparison) string { return strconv.Itoa(c.Pairing.OtherText) }},
	{"matched, but without a known label in the reference", func(c *agreement.Comparison) string { return strconv.Itoa(c.Unscored) }},
	{"labels unknown to the taxonomy", func(c *agreement.Comparison) string {
		n := 0
		for _, count := range c.LeftOut {
			n += count
		}
		return strconv.Itoa(n) + unknownText(": ", c.LeftOut)
	}},
}

// labelRows are the averages of the i-th level.
func labelRows(i int) []compareRow {
	row := func(name string, figure func(*agreement.LabelScores) agreement.Estimate) compareRow {
		return compareRow{name, func(c *agreement.Comparison) string {
			if i >= len(c.Labels) {
				return "–"
			}
			return estimateText(figure(c.Labels[i]))
		}}
	}
	return []compareRow{
		row("micro precision", func(l *agreement.LabelScores) agreement.Estimate { return l.Micro.Precision }),
		row("micro recall", func(l *agreement.LabelScores) agreement.Estimate { return l.Micro.Recall }),
		row("micro F1", func(l *agreement.LabelScores) agreement.Estimate { return l.Micro.F1 }),
		row("macro precision", func(l *agreement.LabelScores) agreement.Estimate { return l.Macro.Precision }),
		row("macro recall", func(l *agreement.LabelScores) agreement.Estimate { return l.Macro.Recall }),
		row("macro F1", func(l *agreement.LabelScores) agreement.Estimate { return l.Macro.F1 }),
		row("accuracy: exactly the reference's labels", func(l *agreement.LabelScores) agreement.Estimate { return l.Accuracy }),
		row("accuracy: the prediction's first label is among the reference's", func(l *agreement.LabelScores) agreement.Estimate { return l.FirstLabel }),
		row("Cohen's kappa, mean", func(l *agreement.LabelScores) agreement.Estimate { return l.Kappa }),
		row("Krippendorff's alpha, mean", func(l *agreement.LabelScores) agreement.Estimate { return l.Alpha }),
		row("Krippendorff's alpha of label sets, MASI", func(l *agreement.LabelScores) agreement.Estimate { return l.SetAlpha }),
	}
}

// writeSpans prints the span scores of the files that have them, and why the others have none.
func (r *compareReport) writeSpans(w io.Writer) {
	with := &compareReport{}
	var without []string
	for _, c := range r.Files {
		if c.Spans != nil {
			with.Files = append(with.Files, c)
		} else {
			without = append(without, fmt.Sprintf("No scores of spans for %s: %s.\n", printable(c.File), printable(c.SpansWhy)))
		}
	}
	if len(with.Files) > 0 {
		with.columns(w, "spans", spanRows())
		with.columns(w, "how spans are off", misalignmentRows(with.Files[0].Spans))
	}
	if len(without) > 0 {
		fmt.Fprintln(w, strings.Join(without, ""))
	}
}

func spanRows() []compareRow {
	rows := []compareRow{
		{"texts", func(c *agreement.Comparison) string { return strconv.Itoa(c.Spans.Records) }},
		{"spans: reference, file", func(c *agreement.Comparison) string {
			return fmt.Sprintf("%d, %d", c.Spans.Reference, c.Spans.Predicted)
		}},
	}
	for _, f := range []struct {
		name string
		of   func(*agreement.SpanScores) agreement.PRF
	}{
		{"seqeval, default", func(s *agreement.SpanScores) agreement.PRF { return s.Default }},
		{"seqeval, strict IOB2", func(s *agreement.SpanScores) agreement.PRF { return s.Strict }},
		{"with the emotion, micro", func(s *agreement.SpanScores) agreement.PRF { return s.Emotion.Micro }},
		{"with the emotion, macro", func(s *agreement.SpanScores) agreement.PRF { return s.Emotion.Macro }},
		{"any overlap", func(s *agreement.SpanScores) agreement.PRF { return s.Overlap }},
		{"proportional overlap", func(s *agreement.SpanScores) agreement.PRF { return s.Proportional }},
		{"token", func(s *agreement.SpanScores) agreement.PRF { return s.Tokens }},
	} {
		rows = append(rows,
			compareRow{f.name + " precision", func(c *agreement.Comparison) string { return estimateText(f.of(c.Spans).Precision) }},
			compareRow{f.name + " recall", func(c *agreement.Comparison) string { return estimateText(f.of(c.Spans).Recall) }},
			compareRow{f.name + " F1", func(c *agreement.Comparison) string { return estimateText(f.of(c.Spans).F1) }})
	}
	return rows
}

func misalignmentRows(s *agreement.SpanScores) []compareRow {
	var rows []compareRow
	for i, m := range s.Misalignment {
		rows = append(rows, compareRow{strings.ReplaceAll(m.Class, "_", " "), func(c *agreement.Comparison) string {
			m := c.Spans.Misalignment[i]
			return fmt.Sprintf("%d (%s)", m.Spans, percent(float64(m.Share)))
		}})
	}
	return rows
}

// writeClasses prints a level's classes, the most frequent in the reference first. Those that no text has only count in the macro
// averages, and are named.
func writeClasses(w io.Writer, file string, l *agreement.LabelScores) {
	rows := [][]string{{fmt.Sprintf("%s, %s", l.Level, file), "support", "predicted", "ratio", "over", "under", "precision", "recall", "F1", "kappa", "alpha"}}
	classes := slices.Clone(l.Classes)
	slices.SortStableFunc(classes, func(a, b agreement.ClassScore) int { return b.Support - a.Support })
	var absent []string
	for _, c := range classes {
		if c.Support+c.Predicted == 0 {
			absent = append(absent, c.Name)
			continue
		}
		rows = append(rows, []string{
			c.Name, strconv.Itoa(c.Support), strconv.Itoa(c.Predicted), figureText(c.Ratio), strconv.Itoa(c.Over), strconv.Itoa(c.Under),
			figureText(c.Precision.Value), figureText(c.Recall.Value), estimateText(c.F1), figureText(c.Kappa.Value), figureText(c.Alpha.Value),
		})
	}
	writeTable(w, rows)
	if len(absent) > 0 {
		fmt.Fprintf(w, "\nIn no text of either side: %s.\n", strings.Join(absent, ", "))
	}
	fmt.Fprintln(w)
}

func writeSpanEmotions(w io.Writer, c *agreement.Comparison) {
	if c.Spans == nil {
		return
	}
	rows := [][]string{{"spans with the emotion, " + c.File, "support", "predicted", "precision", "recall", "F1"}}
	for _, e := range c.Spans.Emotion.Classes {
		rows = append(rows, []string{
			e.Name, strconv.Itoa(e.Support), strconv.Itoa(e.Predicted), figureText(e.Precision.Value), figureText(e.Recall.Value), figureText(e.F1.Value),
		})
	}
	writeTable(w, rows)
	fmt.Fprintln(w)
}

// writeAttributes prints how often spans have each value, and how far those that belong to each other agree.
func writeAttributes(w io.Writer, c *agreement.Comparison) {
	if c.Spans == nil {
		return
	}
	distribution := [][]string{{"attributes, " + c.File, "reference", "file"}}
	agreed := [][]string{{"agreement on attributes, " + c.File, "pairs of spans", "equal", "kappa", "alpha"}}
	for _, a := range c.Attributes {
		for _, v := range a.Values {
			distribution = append(distribution, []string{a.Name + " " + v.Value, countText(v.Reference, a.Values, func(v agreement.ValueCount) int { return v.Reference }),
				countText(v.Predicted, a.Values, func(v agreement.ValueCount) int { return v.Predicted })})
		}
		if a.Pairs > 0 {
			agreed = append(agreed, []string{a.Name, strconv.Itoa(a.Pairs), estimateText(a.Agreement), estimateText(a.Kappa), estimateText(a.Alpha)})
		}
	}
	distribution = append(distribution, []string{"confidence, mean", figureText(c.Confidence.Reference), figureText(c.Confidence.Predicted)})
	writeTable(w, distribution)
	fmt.Fprintln(w)
	if len(agreed) == 1 {
		why := "no spans belong to each other"
		if c.Spans.Reference > 0 && c.Spans.Predicted > 0 {
			why += ", or the reference's have none"
		}
		fmt.Fprintf(w, "No agreement on attributes for %s: %s.\n\n", printable(c.File), why)
		return
	}
	writeTable(w, agreed)
	fmt.Fprintf(w, "\nConfidences differ by %s in the mean.\n\n", figureText(c.Confidence.Difference))
}

// countText writes how many spans have a value and their share of those that have any of the vocabulary's.
func countText(n int, all []agreement.ValueCount, count func(agreement.ValueCount) int) string {
	sum := 0
	for _, v := range all {
		sum += count(v)
	}
	if sum == 0 {
		return "–"
	}
	return fmt.Sprintf("%d (%s)", n, percent(float64(n)/float64(sum)))
}

func figureText(n agreement.Number) string {
	if !n.Defined() {
		return "–"
	}
	return fmt.Sprintf("%.3f", float64(n))
}

func estimateText(e agreement.Estimate) string {
	if !e.Low.Defined() {
		return figureText(e.Value)
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f]", float64(e.Value), float64(e.Low), float64(e.High))
}

// unknownText lists labels that the taxonomy does not know, the most frequent first, five at most.
func unknownText(before string, labels map[string]int) string {
	if len(labels) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		if d := labels[b] - labels[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, name := range names[:min(5, len(names))] {
		list = append(list, fmt.Sprintf("%s (%d)", name, labels[name]))
	}
	if len(names) > 5 {
		list = append(list, fmt.Sprintf("%d others", len(names)-5))
	}
	return before + printable(strings.Join(list, ", "))
}
