package corpus

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// maxLine is the longest line of a corpus, in bytes. It bounds what a line of many marks costs, each of whose targets is looked for.
const maxLine = 64 << 10

// Entry is one text with its marks.
type Entry struct {
	File     string // the name that [Parse] was given
	Line     int    // from 1
	Register string
	Text     string
	Marks    []Mark // in the text's order; none is neutral
}

// Mark is one span of a text and what is said of it, as it is written.
type Mark struct {
	Start, End int // the span is Text[Start:End]
	Emotion    string
	Values     []string // of valence where it is open, intensity, certainty, temporality, source, and the taxonomy's own attributes
	Target     string   // "" where there is none
	Relation   string   // likewise
}

// Parse reads a file of the form that the package's documentation describes; name stands for it in errors. The error holds an
// [Error] for each line at fault, up to a limit. The entries of the other lines are returned beside it.
//
// Parse looks at how entries are written. Whether the words are those of a taxonomy, and whether spans and targets meet tokens, is
// for [Build] to say.
func Parse(r io.Reader, name string) ([]Entry, error) {
	var entries []Entry
	var faults faults
	lines := dataset.NewLineReader(r, maxLine)
	register := ""
	for {
		raw, err := lines.Next()
		if err == io.EOF {
			return entries, faults.err()
		}
		fault := func(reason string) { faults.add(&Error{File: name, Line: lines.Line(), Reason: reason}) }
		if errors.Is(err, dataset.ErrLineTooLong) {
			fault(fmt.Sprintf("the line has more than %d bytes; cut the text into shorter ones", maxLine))
			continue
		}
		if err != nil {
			return entries, errors.Join(faults.err(), fmt.Errorf("%s: %w", name, err))
		}
		line := string(raw)
		if lines.Line() == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if !utf8.ValidString(line) {
			fault("the line is not UTF-8; convert the file")
			continue
		}
		line = dataset.TrimSpace(line)
		switch {
		case line == "" || line == "#" || strings.HasPrefix(line, "# "):
			continue
		case strings.HasPrefix(line, "#!"):
			var ok bool
			if register, ok = strings.CutPrefix(strings.TrimLeft(line[2:], " "), "register="); !ok || !isName(register) {
				fault(fmt.Sprintf("unknown instruction %q; write #! register=NAME, with letters, digits, _ and - in the name", shorten(line)))
				register = "unknown" // one error is enough
			}
			continue
		case register == "":
			fault("no register is set; begin the file with a line #! register=NAME")
			register = "unknown"
		}
		entry := Entry{File: name, Line: lines.Line(), Register: register}
		entry.Text, entry.Marks, err = parseLine(line)
		if err == nil && dataset.IsBlank(entry.Text) {
			err = errors.New("the text is empty; write words, or take the line out")
		}
		if err != nil {
			fault(err.Error())
			continue
		}
		entries = append(entries, entry)
	}
}

const escapeAdvice = `write \[ and \] for brackets of the text`

// parseLine takes the marks out of a line.
func parseLine(line string) (text string, marks []Mark, err error) {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch {
		case isEscape(line[i:]):
			b.WriteByte(line[i+1])
			i += 2
		case line[i] == ']':
			return "", nil, fmt.Errorf("a ] without its [ before %q; %s", shorten(line[i:]), escapeAdvice)
		case line[i] == '[':
			n, err := closing(line[i:])
			if err != nil {
				return "", nil, err
			}
			inner := unescape(line[i+1 : i+n])
			i += n + 1
			if !strings.HasPrefix(line[i:], "(") {
				b.WriteString("[" + inner + "]")
				continue
			}
			if dataset.IsBlank(inner) {
				return "", nil, fmt.Errorf("the span before %q is empty; put the words that carry the emotion between [ and ]", shorten(line[i:]))
			}
			mark := Mark{Start: b.Len(), End: b.Len() + len(inner)}
			n, err = mark.parse(line[i:])
			if err != nil {
				return "", nil, err
			}
			i += n
			b.WriteString(inner)
			marks = append(marks, mark)
		default:
			b.WriteByte(line[i])
			i++
		}
	}
	return b.String(), marks, nil
}

// closing returns the offset of the ] that closes the [ at the start of s.
func closing(s string) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case isEscape(s[i:]):
			i++
		case s[i] == '[':
			return 0, fmt.Errorf("a [ within %q; marks do not nest, and %s", shorten(s), escapeAdvice)
		case s[i] == ']':
			return i, nil
		}
	}
	return 0, fmt.Errorf("the [ of %q is not closed; add its ], or %s", shorten(s), escapeAdvice)
}

// parse reads what is said of a span, which begins at the start of s with a round bracket, and returns its length.
func (m *Mark) parse(s string) (int, error) {
	end, quoted := 0, false
	for i := 1; i < len(s) && end == 0; i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == '(':
			return 0, fmt.Errorf("a ( within the mark %q; close the mark before it", shorten(s))
		case s[i] == ')':
			end = i
		}
	}
	if end == 0 {
		what := "its )"
		if quoted {
			what = "the target's second quotation mark"
		}
		return 0, fmt.Errorf("the mark %q is not closed; add %s", shorten(s), what)
	}
	said, rest, hasTarget := strings.Cut(s[1:end], `"`)
	if hasTarget {
		var relation string
		m.Target, relation, _ = strings.Cut(rest, `"`)
		relations := strings.Fields(relation)
		if dataset.IsBlank(m.Target) || len(relations) != 1 || strings.Contains(relation, `"`) {
			return 0, fmt.Errorf("the target of %q is not written \"words\" relation; write both, or neither", shorten(s[:end+1]))
		}
		m.Relation = relations[0]
	}
	words := strings.Fields(said)
	if len(words) == 0 {
		return 0, fmt.Errorf("the mark %q names no emotion; write it first", shorten(s[:end+1]))
	}
	m.Emotion, m.Values = words[0], words[1:]
	return end + 1, nil
}

func isEscape(s string) bool { return strings.HasPrefix(s, `\[`) || strings.HasPrefix(s, `\]`) }

func unescape(s string) string { return strings.NewReplacer(`\[`, "[", `\]`, "]").Replace(s) }

// isName reports whether s can be a register's name, which becomes part of ids.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}
