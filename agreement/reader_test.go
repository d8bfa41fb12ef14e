package agreement

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func readAll(t *testing.T, book *Codebook, level Level, text string) (list []Annotation, r *Reader) {
	t.Helper()
	r = NewReader(strings.NewReader(text), "f", book, level)
	for {
		var a Annotation
		err := r.Next(&a)
		if err == io.EOF {
			return list, r
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
}

func names(book *Codebook, level Level, s Set) string {
	var list []string
	for class := range s.All() {
		list = append(list, book.Names(level)[class])
	}
	return strings.Join(list, " ")
}

const record = `{"src_id":"r1","model":"m","provider":"p","prompt":"level_2","level":"level2","predictions":["joy","fear"],` +
	`"text":" So glad,  so afraid.","data":{"tokens":["So","glad",",","so","afraid","."],"labels":["O","B-EMO","O","B-EMO","I-EMO","O"],` +
	`"spans":[{"type":"EMO","subtype":"Joy","start":1,"end":1,"text":"glad","attrs":{"valence":"pos","sentence_index":2,"target_text":"you"}},` +
	`{"type":"EMO","subtype":"Fear","start":3,"end":4,"text":"so afraid","attrs":{}}]}}`

func TestFormats(t *testing.T) {
	book := testBook(t)
	for _, test := range []struct {
		name, text string
		format     Format
		level      Level
		want       string // id, labels, first, left out, spanned, spans as start-end class
	}{
		{"record", record, FormatRecords, LevelEmotion, "r1: fear joy, first joy, left out [], spans [2-6 joy 7-15 fear]"},
		{"record without spans", `{"src_id":"a","prompt":"simple","predictions":["Happiness","glee"],"text":"x","data":{"tokens":["x"],"labels":["O"],"spans":[]}}`,
			FormatRecords, LevelEmotion, "a: joy, first joy, left out [glee]"},
		{"predictions alone", `{"src_id":"a","text":"x","predictions":[]}`, FormatRecords, LevelEmotion, "a: , first –, left out []"},
		{"an array", `[{"src_id":7.0,"text":"So glad","labels":["joy"]}]`, FormatLabels, LevelEmotion, "7: joy, first joy, left out []"},
		{"TSV", "\ufeffSo glad\t17,25\teb1", FormatGoEmotions, LevelEmotion, "eb1: joy sadness, first joy, left out []"},
		{"TSV without ids, names", "So glad\tJoy, neutral", FormatGoEmotions, LevelEmotion, ": joy neutral, first joy, left out []"},
		{"labels", `{"id":7,"src_id":"s","text":"x","labels":["grief",3]}`, FormatLabels, LevelEmotion, "7: annoyance grief, first grief, left out []"},
		{"labels, the first unknown", `{"src_id":"s","text":"x","labels":["zeal","grief"]}`, FormatLabels, LevelEmotion, "s: grief, first –, left out [zeal]"},
		{"offsets", `{"src_id":"o","text":"é 👍 glad","spans":[{"kind":"emotion","label":"joy","start":4,"end":8,"text":"glad"},` +
			`{"kind":"entity","label":"fear","start":0,"end":1},{"label":"trust","start":0,"end":3,"text":"é 👍"}]}`,
			FormatOffsets, LevelEkman, "o: joy, first joy, left out [trust], spans [0-6 – 6-10 joy]"},
		{"offsets without an emotion", `{"src_id":"o","text":"x","spans":[]}`, FormatOffsets, LevelEkman, "o: neutral, first neutral, left out [], spans []"},
	} {
		list, r := readAll(t, book, "", "\n  \n"+strings.TrimPrefix(test.text, "\n")+"\n\n")
		if strings.HasPrefix(test.text, "\ufeff") {
			list, r = readAll(t, book, "", test.text)
		}
		if r.Format() != test.format || r.Level() != test.level || len(list) != 1 {
			t.Errorf("%s: format %s, level %s, %d annotations", test.name, r.Format(), r.Level(), len(list))
			continue
		}
		a := list[0]
		class := func(c uint8) string {
			if c == noClass {
				return "–"
			}
			return book.Names(test.level)[c]
		}
		got := fmt.Sprintf("%s: %s, first %s, left out %v", a.ID, names(book, test.level, a.Labels), class(a.First), a.LeftOut)
		if a.Spanned {
			var spans []string
			for _, s := range a.Spans {
				spans = append(spans, fmt.Sprintf("%d-%d %s", s.Start, s.End, class(s.class)))
			}
			got += fmt.Sprint(", spans ", spans)
		}
		if got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestLevels(t *testing.T) {
	book := testBook(t)
	offsets := `{"src_id":"o","text":"so glad","spans":[{"label":"annoyance","start":0,"end":2},{"label":"joy","start":3,"end":7}]}`
	for _, test := range []struct {
		level Level
		line  string
		want  string
	}{
		{"", offsets, "joy anger"},
		{LevelEkman, record, "joy fear"},
		{LevelEmotion, offsets, "annoyance joy"},
	} {
		list, r := readAll(t, book, test.level, test.line)
		if got := names(book, r.Level(), list[0].Labels); got != test.want {
			t.Errorf("level %q: %s, want %s", test.level, got, test.want)
		}
	}
}

func TestFaults(t *testing.T) {
	book := testBook(t)
	labels := `{"src_id":"a","text":"x","labels":["joy"]}` + "\n"
	patched := func(old, new string) string {
		if !strings.Contains(record, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(record, old, new, 1)
	}
	for _, test := range []struct{ text, want string }{
		{"no tab\n", "f:1: want a text, its label ids and its id with tabs between, found no tab"},
		{"x\t1\ta\nx\t28\tb\n", "f:2: want a label id from 0 to 27, found 28"},
		{"x\t1\ta\tmore\n", "f:1: want a text, its label ids and its id with tabs between, found 4 fields"},
		{labels + "{\n", "f:2: want JSON, found unexpected EOF at column 2"},
		{labels + "x\t1\ta\n", "f:2: want JSON, found"},
		{labels + `{"src_id":"a","text":"x","labels":"joy"}`, "f:2: want an array, found a string at /labels"},
		{labels + `{"src_id":"a","text":"x","labels":[true]}`, "f:2: want an emotion's name or GoEmotions' number for it, found a boolean at /labels/0"},
		{labels + `{"src_id":true,"text":"x","labels":[]}`, "f:2: want a string or a number, found a boolean at /src_id"},
		{labels + `{"src_id":"a","text":"x"}`, "f:2: want a list of labels, found nothing at /labels"},
		{labels + `{"labels":[]}`, "f:2: want a text or an id, found neither"},
		{labels + "\xff{}", "f:2: want UTF-8, found other bytes"},
		{`{"src_id":"a","text":"x"}`, "f:1: want predictions, labels or spans, found none of them"},
		{record + "\n" + labels, "f:2: want a list of emotions, found nothing at /predictions"},
		{patched(`"start":1`, `"start":-1`), "f:1: want 0 ≤ start ≤ end < 6, found start -1, end 1 at /data/spans/0"},
		{patched(`"start":3`, `"start":1`), "f:1: want 2 ≤ start ≤ end < 6, found start 1, end 4 at /data/spans/1"},
		{patched(`"end":4`, `"end":6`), "f:1: want 2 ≤ start ≤ end < 6, found start 3, end 6 at /data/spans/1"},
		{patched(`"type":"EMO"`, `"type":"PER"`), `f:1: want one of EMO, found "PER" at /data/spans/0/type`},
		{patched(`"B-EMO","O"`, `"B-EMO"`), "f:1: want 6 labels, found 5 at /data/labels"},
		{patched(`"I-EMO"`, `"I-JOY"`), `f:1: want O, B-TYPE or I-TYPE, TYPE one of EMO, found "I-JOY" at /data/labels/4`},
		{patched(`"afraid","."`, `"afraid"`), "f:1: want the text's tokens, found others at /data/tokens"},
		{patched(`"so","afraid"`, `" ","so","afraid"`), `f:1: want a token, found " " at /data/tokens/3`},
		{`{"src_id":"o","text":"so","spans":[{"label":"joy","start":0,"end":3}]}`, "f:1: want 0 ≤ start < end ≤ 2, found start 0, end 3 at /spans/0"},
		{`{"src_id":"o","text":"so","spans":[{"label":"joy","start":1,"end":1}]}`, "f:1: want 0 ≤ start < end ≤ 2, found start 1, end 1 at /spans/0"},
		{`{"src_id":"o","text":"s o","spans":[{"label":"joy","start":1,"end":2}]}`, "f:1: want more than white space, found none at /spans/0"},
		{`{"src_id":"o","text":"so","spans":[{"label":"joy","start":0,"end":1,"text":"o"}]}`, `f:1: want "s", which its offsets give, found "o" at /spans/0/text`},
		{`{"src_id":"o","spans":[]}`, "f:1: want the text that the spans lie in, found nothing at /text"},
	} {
		r := NewReader(strings.NewReader(test.text), "f", book, "")
		var err error
		for err == nil {
			err = r.Next(new(Annotation))
		}
		var bad *dataset.LineError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q:\n%v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestCutText(t *testing.T) {
	for _, test := range []struct{ line, text, rest string }{
		{"a b\t1\tx", "a b", "1\tx"},
		{`"say ""so"" now"` + "\t1\tx", `say "so" now`, "1\tx"},
		{`"""so"""` + "\t1", `"so"`, "1"},
		{`"a` + "\tb\"\t1\tx", "a\tb", "1\tx"},
		{`"so" it is` + "\t1\tx", `"so" it is`, "1\tx"},
		{`"so` + "\t1\tx", `"so`, "1\tx"},
		{"\t1", "", "1"},
	} {
		if text, rest, ok := cutText(test.line); text != test.text || rest != test.rest || !ok {
			t.Errorf("%q: %q and %q, %v", test.line, text, rest, ok)
		}
	}
}

// TestIrregular keeps the labels' entities only where they are not the spans'.
func TestIrregular(t *testing.T) {
	book := testBook(t)
	list, _ := readAll(t, book, "", record+"\n"+strings.Replace(record, `"O","B-EMO","I-EMO"`, `"O","I-EMO","I-EMO"`, 1))
	if a := list[0]; a.irregular || len(a.chunks)+len(a.strict) > 0 {
		t.Errorf("labels that follow the spans are kept: %+v", a)
	}
	a := list[1]
	if loosely, strict := []entity{{1, 2, 6}, {1, 7, 15}}, []entity{{1, 2, 6}}; !a.irregular || !slices.Equal(a.chunks, loosely) || !slices.Equal(a.strict, strict) {
		t.Errorf("%v and %v, want %v and %v", a.chunks, a.strict, loosely, strict)
	}
}

// TestTaxonomyOrder refuses label ids under a taxonomy whose emotions have another order.
func TestTaxonomyOrder(t *testing.T) {
	swapped := strings.NewReplacer(`"name": "joy"`, `"name": "love"`, `"name": "love"`, `"name": "joy"`).Replace(string(dataset.TaxonomyJSON()))
	tax, err := dataset.ParseTaxonomy([]byte(swapped))
	if err != nil {
		t.Fatal(err)
	}
	book, err := NewCodebook(tax)
	if err != nil {
		t.Fatal(err)
	}
	err = NewReader(strings.NewReader("x\t17\ta\n"), "f", book, "").Next(new(Annotation))
	if err == nil || !strings.Contains(err.Error(), "f:1: want names: label ids are those of the built-in taxonomy") {
		t.Errorf("the id was read: %v", err)
	}
	if list, _ := readAll(t, book, "", "x\tjoy\ta\n"); names(book, LevelEmotion, list[0].Labels) != "joy" {
		t.Errorf("the name was not read: %+v", list[0])
	}
}

func FuzzReader(f *testing.F) {
	f.Add(record)
	f.Add("\"a\"\"b\"\t1,2\tx\n")
	f.Add(`{"src_id":"o","text":"é glad","spans":[{"kind":"emotion","label":"joy","start":2,"end":6}]}`)
	book, err := NewCodebook(dataset.Default())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := NewReader(strings.NewReader(text), "f", book, "")
		for {
			var a Annotation
			err := r.Next(&a)
			if err == io.EOF {
				return
			}
			if err != nil {
				continue
			}
			for i, s := range a.Spans {
				if s.Start < 0 || s.End <= s.Start || i > 0 && s.Start < a.Spans[i-1].Start {
					t.Fatalf("spans %v", a.Spans)
				}
				if len(a.ends) == 0 {
					continue
				}
				if from, to := a.Tokens(s); from >= to || a.place(from) != s.Start || a.ends[to-1] != s.End {
					t.Fatalf("span %v lies over the tokens %d to %d of %v", s, from, to, a.ends)
				}
			}
		}
	})
}
