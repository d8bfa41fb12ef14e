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

// drawRecord writes a record as its text with the spans marked, coloured by valence or in brackets, and a line about each, wrapped to
// a terminal of so many columns (0: not wrapped).
func drawRecord(w io.Writer, r *dataset.Record, colours bool, width int) {
	paint := func(code, s string) piece {
		if !colours {
			code = ""
		}
		return piece{printable(s), code}
	}
	text := []piece{paint(dim, r.SrcID), paint("", "  ")}
	at := 0 // byte of the text up to which it is drawn
	offsets := tokenOffsets(r)
	for _, s := range r.Data.Spans {
		start, end := offsets[s.Start], offsets[s.End]+len(r.Data.Tokens[s.End])
		text = append(text, paint("", r.Text[at:start]))
		if quoted := r.Text[start:end]; colours {
			text = append(text, paint(valenceColour[s.Attrs.Valence], quoted))
		} else {
			text = append(text, paint("", "["+quoted+"]"))
		}
		at = end
	}
	writeWrapped(w, append(text, paint("", r.Text[at:])), width, "    ")
	if len(r.Data.Spans) == 0 {
		writeWrapped(w, []piece{paint("", "    "+strings.Join(r.Predictions, ", "))}, width, "      ")
	}
	for _, s := range r.Data.Spans {
		a := s.Attrs
		further := ""
		for _, f := range a.Further {
			further += fmt.Sprintf(" · %s %s", f.Name, f.Value)
		}
		about := fmt.Sprintf("%s · %s intensity · %s · %s · %s%s · confidence %.2f", a.Valence, a.Intensity, a.Certainty, a.Temporality, a.Source, further, a.Confidence)
		if a.TargetText != "" {
			about += fmt.Sprintf("  %s: “%s”", a.TargetRelation, a.TargetText)
		}
		writeWrapped(w, []piece{paint("", "    "+s.Subtype+"  "), paint(dim, about)}, width, "      ")
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
