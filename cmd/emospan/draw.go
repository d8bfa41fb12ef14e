package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// ANSI colours of a valence.
var valenceColour = map[string]string{"pos": "\x1b[30;42m", "neg": "\x1b[97;41m", "neu": "\x1b[30;46m", "mixed": "\x1b[30;43m"}

const (
	dim   = "\x1b[2m"
	reset = "\x1b[0m"
)

// drawRecord writes a record as its text with the spans marked, coloured by valence or in brackets, and a line about each.
func drawRecord(w io.Writer, r *dataset.Record, colours bool) {
	paint := func(code, s string) string {
		if !colours {
			return s
		}
		return code + s + reset
	}
	var text strings.Builder
	at := 0 // byte of the text up to which it is drawn
	offsets := tokenOffsets(r)
	for _, s := range r.Data.Spans {
		start, end := offsets[s.Start], offsets[s.End]+len(r.Data.Tokens[s.End])
		text.WriteString(printable(r.Text[at:start]))
		quoted := printable(r.Text[start:end])
		if colours {
			text.WriteString(paint(valenceColour[s.Attrs.Valence], quoted))
		} else {
			text.WriteString("[" + quoted + "]")
		}
		at = end
	}
	text.WriteString(printable(r.Text[at:]))
	fmt.Fprintf(w, "%s  %s\n", paint(dim, printable(r.SrcID)), text.String())
	if len(r.Data.Spans) == 0 {
		fmt.Fprintf(w, "    %s\n", strings.Join(r.Predictions, ", "))
	}
	for _, s := range r.Data.Spans {
		a := s.Attrs
		further := ""
		for _, f := range a.Further {
			further += fmt.Sprintf(" · %s %s", f.Name, printable(f.Value))
		}
		fmt.Fprintf(w, "    %s  %s", s.Subtype, paint(dim, fmt.Sprintf("%s · %s intensity · %s · %s · %s%s · confidence %.2f", a.Valence, a.Intensity, a.Certainty, a.Temporality, a.Source, further, a.Confidence)))
		if a.TargetText != "" {
			fmt.Fprintf(w, "  %s", paint(dim, fmt.Sprintf("%s: “%s”", a.TargetRelation, printable(a.TargetText))))
		}
		fmt.Fprintln(w)
	}
}

// tokenOffsets finds each token of a valid record in its text, in bytes.
func tokenOffsets(r *dataset.Record) []int {
	offsets := make([]int, len(r.Data.Tokens))
	at := 0
	for i, token := range r.Data.Tokens {
		at += strings.Index(r.Text[at:], token)
		offsets[i] = at
		at += len(token)
	}
	return offsets
}
