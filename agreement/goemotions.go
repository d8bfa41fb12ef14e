package agreement

import (
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// parseTSV reads a line of GoEmotions' TSV: the text, its label ids with commas
// between them and the comment's id, which may be missing, with tabs between.
// Labels may be names too. The text stands in quotation marks, each in it
// doubled, where it holds one.
func (r *Reader) parseTSV(line string, a *Annotation) error {
	text, rest, ok := cutText(line)
	if !ok {
		return r.fault(dataset.CodeInputSyntax, "", "a text, its label ids and its id with tabs between", "no tab")
	}
	labels, id, _ := strings.Cut(rest, "\t")
	if strings.Contains(id, "\t") {
		return r.fault(dataset.CodeInputSyntax, "", "a text, its label ids and its id with tabs between", strconv.Itoa(strings.Count(id, "\t")+3)+" fields")
	}
	a.ID = strings.TrimSpace(id)
	r.setText(a, text)
	for name := range strings.SplitSeq(labels, ",") {
		name = strings.TrimSpace(name)
		if id, err := strconv.Atoi(name); err == nil {
			if name, err = r.labelName(id, ""); err != nil {
				return err
			}
		}
		if name != "" {
			r.addLabel(a, name, true)
		}
	}
	return nil
}

// cutText splits a line behind its text, from which it takes the quotation
// marks of CSV.
func cutText(line string) (text, rest string, ok bool) {
	if strings.HasPrefix(line, `"`) {
		var b strings.Builder
		for in := line[1:]; ; {
			end := strings.IndexByte(in, '"')
			if end < 0 {
				break // no such text: the marks are its own
			}
			b.WriteString(in[:end])
			in = in[end+1:]
			if tail, tab := strings.CutPrefix(in, "\t"); tab {
				return b.String(), tail, true
			}
			if !strings.HasPrefix(in, `"`) {
				break
			}
			b.WriteByte('"')
			in = in[1:]
		}
	}
	return strings.Cut(line, "\t")
}
