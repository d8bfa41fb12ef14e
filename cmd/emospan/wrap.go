package main

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// A piece is a run of text with one style, an ANSI sequence or "". The text must be printable.
type piece struct{ text, style string }

// leastColumns is the narrowest terminal that lines are wrapped for.
const leastColumns = 20

// columns is the width of the terminal that w is, 0 where it is none or does not say.
func columns(w any) int {
	if c, ok := w.(*console); ok {
		w = c.w
	}
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 0
	}
	return max(width, leastColumns)
}

// writeWrapped writes pieces as lines of at most so many columns, those after the first indented; of any length where width is 0. Lines end
// where Unicode's line breaking allows it, inside of a word only where that is longer than a line. The columns are those that a terminal
// gives to characters: two to wide ones, none to marks that combine.
func writeWrapped(w io.Writer, pieces []piece, width int, indent string) {
	l := lineWriter{w: w, width: width, indent: indent}
	var text strings.Builder
	for _, p := range pieces {
		text.WriteString(p.text)
	}
	var word []cell // that may not be broken
	rest, state, at, styled := text.String(), -1, 0, 0
	for len(rest) > 0 {
		var cluster string
		var boundaries int
		cluster, rest, boundaries, state = uniseg.StepString(rest, state)
		for styled+len(pieces[0].text) <= at {
			styled += len(pieces[0].text)
			pieces = pieces[1:]
		}
		at += len(cluster)
		word = append(word, cell{cluster, pieces[0].style, boundaries >> uniseg.ShiftWidth})
		if boundaries&uniseg.MaskLine != uniseg.LineDontBreak {
			l.word(word)
			word = word[:0]
		}
	}
	l.end()
}

// A cell is what a reader takes for one character, and its columns.
type cell struct {
	text, style string
	columns     int
}

// A lineWriter fills lines with words.
type lineWriter struct {
	w      io.Writer
	width  int
	indent string

	line   strings.Builder
	at     int  // columns of the line that are filled
	filled bool // with more than the indent
	style  string
	spaces []cell // that end the line so far, and go where it ends there
}

// word puts a word and the spaces behind it where there is room for the word.
func (l *lineWriter) word(cells []cell) {
	n := len(cells)
	for n > 0 && cells[n-1].text == " " {
		n--
	}
	need := sum(cells[:n])
	if l.width > 0 && need > l.width-len(l.indent) {
		// Unicode keeps some marks with what is before the space before them, which this is too long for.
		if space := slices.IndexFunc(cells[:n], func(c cell) bool { return c.text == " " }); space >= 0 {
			l.word(cells[:space+1])
			l.word(cells[space+1:])
			return
		}
	}
	if l.width > 0 && l.filled && l.at+sum(l.spaces)+need > l.width {
		l.next()
	}
	for _, c := range cells[:n] {
		l.put(c)
	}
	l.spaces = append(l.spaces, cells[n:]...)
}

func sum(cells []cell) (columns int) {
	for _, c := range cells {
		columns += c.columns
	}
	return columns
}

// put writes one character, on the next line where this one is full.
func (l *lineWriter) put(c cell) {
	for _, space := range l.spaces {
		l.write(space)
	}
	l.spaces = l.spaces[:0]
	if l.width > 0 && l.filled && l.at+c.columns > l.width {
		l.next()
	}
	l.write(c)
}

func (l *lineWriter) write(c cell) {
	l.change(c.style)
	l.line.WriteString(c.text)
	l.at += c.columns
	l.filled = true
}

func (l *lineWriter) change(style string) {
	if l.style == style {
		return
	}
	if l.style != "" {
		l.line.WriteString(reset)
	}
	l.line.WriteString(style)
	l.style = style
}

func (l *lineWriter) next() {
	l.end()
	l.line.WriteString(l.indent)
	l.at = len(l.indent)
}

// end ends a line, without the spaces at its end.
func (l *lineWriter) end() {
	l.change("")
	l.line.WriteByte('\n')
	io.WriteString(l.w, l.line.String())
	l.line.Reset()
	l.at, l.filled, l.spaces = 0, false, l.spaces[:0]
}
