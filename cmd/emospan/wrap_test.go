package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"golang.org/x/sys/unix"
)

func wrapped(width int, pieces ...piece) string {
	var b strings.Builder
	writeWrapped(&b, pieces, width, "  ")
	return b.String()
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		text  string
		want  string
	}{
		{"it fits", 20, "one two three four x", "one two three four x\n"},
		{"a word more", 20, "one two three four xy", "one two three four\n  xy\n"},
		{"spaces at the end of a line go", 20, "one two three four    five six   ", "one two three four\n  five six\n"},
		{"spaces inside stay", 20, "id  a   b", "id  a   b\n"},
		{"a word longer than the line", 20, "x abcdefghijklmnopqrstuvwxyz y", "x\n  abcdefghijklmnopqr\n  stuvwxyz y\n"},
		{"no width", 0, strings.Repeat("word ", 50), strings.TrimRight(strings.Repeat("word ", 50), " ") + "\n"},
		{"wide characters are two columns", 20, "今天非常高兴因为火车准时到达", "今天非常高兴因为火车\n  准时到达\n"},
		{"marks that combine are none", 20, strings.Repeat("e\u0301", 20), strings.Repeat("e\u0301", 20) + "\n"},
		{"an emoji of several is one", 20, strings.Repeat("👨‍👩‍👧‍👦", 11), strings.Repeat("👨‍👩‍👧‍👦", 10) + "\n  👨‍👩‍👧‍👦\n"},
		{"a flag is one", 20, "abcdefghij klmnopqr 🇩🇪", "abcdefghij klmnopqr\n  🇩🇪\n"},
		{"a comma stays with its word", 20, "one two three fourxy, z", "one two three\n  fourxy, z\n"},
		{"brackets stay with theirs", 20, "one two three four[x] y", "one two three\n  four[x] y\n"},
		{"a no-break space keeps words together", 20, "one two three four\u00a0xy", "one two three\n  four\u00a0xy\n"},
		{"a space before a mark is better than nothing", 20, "abcdefghijklmnop !!!!", "abcdefghijklmnop\n  !!!!\n"},
		{"nothing", 20, "", "\n"},
	} {
		if got := wrapped(c.width, piece{c.text, ""}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A style ends with its line and goes on behind the indent.
func TestWrapStyles(t *testing.T) {
	const red = "\x1b[31m"
	got := wrapped(20, piece{"one ", ""}, piece{"two three four five", red}, piece{"", dim}, piece{" six", ""})
	if want := "one " + red + "two three four" + reset + "\n  " + red + "five" + reset + " six\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// a piece may end inside of what is one character
	if got := wrapped(20, piece{"e", red}, piece{"\u0301x", ""}); got != red+"e\u0301"+reset+"x\n" {
		t.Errorf("%q", got)
	}
}

// Whatever the text: no line is too wide, nothing but spaces is lost, and a line ends inside a word only where that is wider than a line.
func TestWrapAny(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	alphabet := []string{"a", "b", "word", " ", " ", " ", ",", "[", "]", "今", "日", "👩🏽‍🚀", "e\u0301", "🇩🇪", "-", "ก", "\u200d", "“", "ü"}
	for range 3000 {
		var pieces []piece
		var text strings.Builder
		for range 1 + rng.IntN(4) {
			var p strings.Builder
			for range rng.IntN(30) {
				p.WriteString(alphabet[rng.IntN(len(alphabet))])
			}
			pieces = append(pieces, piece{p.String(), ""})
			text.WriteString(p.String())
		}
		width := 20 + rng.IntN(30)
		got := wrapped(width, pieces...)
		var bare strings.Builder
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			bare.WriteString(line)
			// A terminal may count less where two lines' characters would have been one.
			if n := uniseg.StringWidth(line); n > width {
				t.Fatalf("a line of %d columns, not %d: %q of %q", n, width, line, text.String())
			}
		}
		unspaced := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if unspaced(bare.String()) != unspaced(text.String()) {
			t.Fatalf("%q came of %q", got, text.String())
		}
		if longestRun(text.String()) > width-len("  ") {
			continue
		}
		rest := text.String()
		for line := range strings.Lines(got) {
			for _, c := range unspaced(strings.TrimSuffix(line, "\n")) {
				rest = strings.TrimPrefix(strings.TrimLeft(rest, " "), string(c))
			}
			if ended := strings.TrimSuffix(line, "\n"); ended != "" && letter(ended[len(ended)-1]) && rest != "" && letter(rest[0]) {
				t.Fatalf("a word is broken in %q", got)
			}
		}
	}
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }

// longestRun is the width of the widest run between spaces.
func longestRun(s string) (longest int) {
	for _, run := range strings.Fields(s) {
		longest = max(longest, uniseg.StringWidth(run))
	}
	return longest
}

// TestShowInTerminal: at 80 columns a long text is wrapped between its words, with colours, and the same lines come out of a pipe unwrapped.
func TestShowInTerminal(t *testing.T) {
	dir := t.TempDir()
	const text = "I was so annoyed that the bus to the central railway station was late again, although everyone had promised that the new timetable would put an end to that; 今天非常高兴因为火车准时到达了车站而且所有人都在等我们一起去吃晚饭"
	if err := os.WriteFile(filepath.Join(dir, "in.txt"), []byte(text+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	show := func(stderr *os.File, out string) {
		cmd := exec.Command("emospan", "tag", "-m", fixtures.tiny, "--threads", "1", "--show", "-q", "--progress", "never", "-o", out, "in.txt")
		cmd.Dir, cmd.Stderr = dir, stderr
		cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=")
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		stderr.Close()
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go show(write, "pipe.jsonl")
	piped := readAll(read)
	if !strings.HasPrefix(piped, "l2_0  ") || strings.Contains(piped, "\x1b") {
		t.Fatalf("a pipe got %q", piped)
	}
	master, slave := openTerminal(t)
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	go show(slave, "terminal.jsonl")
	shown := strings.ReplaceAll(readAll(master), "\r\n", "\n")
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(shown, "")
	if plain == shown || strings.Contains(plain, "\x1b") {
		t.Errorf("no colours, or other than colours: %q", shown)
	}
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(piped))
	lines := strings.Split(strings.TrimSuffix(plain, "\n"), "\n")
	if len(lines) < 4 {
		t.Errorf("%d lines: %q", len(lines), plain)
	}
	for _, line := range lines {
		if n := uniseg.StringWidth(line); n > 80 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
		first := strings.Fields(line)[0]
		if first[0] < 0x80 && !slices.Contains(words, first) {
			t.Errorf("a line begins inside a word: %q", line)
		}
	}
}

// readAll reads up to the end, which of a terminal is an error.
func readAll(f *os.File) string {
	var b bytes.Buffer
	b.ReadFrom(f)
	return b.String()
}
