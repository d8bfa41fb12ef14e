package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/emospan/emospan/validate"
)

// print writes the summary: the card's checks with the codes that failed each, then the changes by code.
func (v *validation) print() error {
	s := &v.sum
	fmt.Fprintf(v.say, "%s, %d valid, %d invalid\n", plural(s.Records, "record"), s.Valid, s.Invalid)
	if v.fix {
		fmt.Fprintf(v.say, "%s fixed by %s\n", plural(s.Fixed, "record"), plural(s.Changes, "change"))
	}
	err := table(v.say, func(w io.Writer) {
		fmt.Fprintln(w, "CHECK\tPASSED\tFAILED\tUNCHECKED\tRECORDS")
		for _, step := range s.Steps {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", step.Step, step.Passed, step.Failed, step.Unchecked)
			for _, c := range validate.Codes() {
				if n := s.Codes[c.Code]; n > 0 && c.Step == step.Step {
					fmt.Fprintf(w, "  %s\t\t%d\t\t%s\n", c.Code, n, printable(strings.Join(s.Samples[c.Code], ", ")))
				}
			}
		}
	})
	if err == nil && s.Changes > 0 {
		err = table(v.say, func(w io.Writer) {
			fmt.Fprintln(w, "FIX\tCHANGES\tRECORDS")
			for _, c := range validate.Fixes() {
				if n := s.Fixes[c.Code]; n > 0 {
					fmt.Fprintf(w, "%s\t%d\t%s\n", c.Code, n, printable(strings.Join(s.Samples[c.Code], ", ")))
				}
			}
		})
	}
	if s.Invalid > 0 && !v.fix {
		fmt.Fprintln(v.say, "--fix mends what can be mended without a guess; --codes says what each code means")
	}
	switch {
	case s.Invalid > 0 && v.rejects == "":
		fmt.Fprintln(v.say, "rejected samples are not kept; --rejects FILE keeps them")
	case s.Invalid > 0:
		fmt.Fprintf(v.say, "rejected samples are in %s\n", printable(v.rejects))
	}
	return err
}

// changeLine is one line of --changes.
type changeLine struct {
	SrcID string `json:"src_id"`
	Line  int    `json:"line"`
	validate.Change
}

func (c *changeLine) AppendJSON(dst []byte) ([]byte, error) {
	var b bytes.Buffer
	err := printJSONLine(&b, c)
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), err
}

// shown is a value of a change on a screen: long lists of labels are in --changes.
func shown(s string) string {
	const most = 80
	if s == "" {
		return "nothing"
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return printable(s)
}
