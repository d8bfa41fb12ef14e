package corpus

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

var update = flag.Bool("update", false, "write the counts in README.md anew")

// counts has how often each value of a field occurs.
type counts map[string]map[string]int

func (c counts) add(field, value string) {
	if c[field] == nil {
		c[field] = map[string]int{}
	}
	c[field][value]++
}

func records(t *testing.T) []dataset.Record {
	t.Helper()
	records, err := Records(dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func count(t *testing.T) (counts, int) {
	c, spans := counts{}, 0
	for i, r := range records(t) {
		c.add("register", Entries()[i].Register)
		for _, p := range r.Predictions {
			c.add("emotion", p)
		}
		c.add("emotions of a text", fmt.Sprint(len(r.Predictions)))
		for _, s := range r.Data.Spans {
			spans++
			for _, v := range dataset.Default().Attributes() {
				c.add(v.Name, *s.Attrs.Field(v.Name))
			}
		}
	}
	return c, spans
}

// TestQuotas holds that the corpus has enough of everything for a reading to be fitted and tested.
func TestQuotas(t *testing.T) {
	c, _ := count(t)
	tax := dataset.Default()
	if n := len(Entries()); n < 1500 {
		t.Errorf("%d entries", n)
	}
	least := func(field string, values []string, least int) {
		for _, value := range values {
			if n := c[field][value]; n < least {
				t.Errorf("%s %s occurs %d times, want %d", field, value, n, least)
			}
		}
	}
	var emotions []string
	for _, e := range tax.Emotions() {
		emotions = append(emotions, e.Name)
	}
	least("emotion", emotions, 40)
	least("register", Registers, 150)
	if len(c["register"]) != len(Registers) {
		t.Errorf("registers %v", slices.Collect(maps.Keys(c["register"])))
	}
	for _, v := range tax.Attributes() {
		values := v.Values
		if v.Name == dataset.AttrEmotionGroup { // no span is neutral
			values = slices.DeleteFunc(slices.Clone(values), func(group string) bool { return group == "neutral" })
		}
		least(v.Name, values, 60)
	}
}

func TestRecords(t *testing.T) {
	records := records(t)
	if len(records) != len(Entries()) {
		t.Fatalf("%d records of %d entries", len(records), len(Entries()))
	}
	if names, err := fs.Glob(files, "*"); err != nil || len(names) != len(Registers) {
		t.Errorf("files %q, %v; registers %q", names, err, Registers)
	}
	ids := map[string]bool{}
	for i := range records {
		r, e := &records[i], &Entries()[i]
		for _, p := range validate.Record(r, dataset.Default()) {
			t.Errorf("%s:%d: %+v", e.File, e.Line, p)
		}
		if e.Text != r.Text || e.File != e.Register+".txt" {
			t.Errorf("%s:%d, register %s, is the record of %q", e.File, e.Line, e.Register, r.Text)
		}
		if ids[r.SrcID] || !strings.HasPrefix(r.SrcID, "corpus_"+e.Register+"_") {
			t.Errorf("%s:%d has the id %s", e.File, e.Line, r.SrcID)
		}
		ids[r.SrcID] = true
		for _, s := range r.Data.Spans {
			for _, k := range []int{s.Start, s.End} {
				if strings.TrimFunc(r.Data.Tokens[k], unicode.IsPunct) == "" {
					t.Errorf("%s:%d: the span %q begins or ends with a mark", e.File, e.Line, s.Text)
				}
			}
		}
	}
}

var notLetters = regexp.MustCompile(`[^\pL\pN]+`)

// essence is what two texts have in common that differ in case, marks or white space alone; of a text of marks it is the text.
func essence(text string) string {
	if words := strings.TrimSpace(notLetters.ReplaceAllString(strings.ToLower(text), " ")); words != "" {
		return words
	}
	return text
}

// TestTexts holds that no text is there twice, and none that the program is measured or prompted with.
func TestTexts(t *testing.T) {
	first := map[string]*Entry{}
	for i := range Entries() {
		e := &Entries()[i]
		if before := first[essence(e.Text)]; before != nil {
			t.Errorf("%s:%d has nearly the text of %s:%d: %q", e.File, e.Line, before.File, before.Line, e.Text)
		}
		first[essence(e.Text)] = e
	}
	others := 0
	check := func(name, text string) {
		others++
		if e := first[essence(text)]; e != nil {
			t.Errorf("%s has the text of %s:%d, %q", name, e.File, e.Line, text)
		}
	}
	for _, name := range glob(t, "../../examples/*.txt", "../../examples/*.jsonl") {
		texts, err := dataset.OpenInput(name, dataset.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			in, err := texts.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			check(name, in.Text)
		}
		texts.Close()
	}
	quoted := regexp.MustCompile(`"text": "([^"]+)"|(?m:^"([^"]+)" expresses)`)
	for _, name := range glob(t, "../../tagger/prompts/*.tmpl", "../../tagger/priors/*.jsonl", "../../tagger/calibrations/*.txt") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := quoted.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("no texts in %s", name)
		}
		for _, m := range found {
			check(name, m[1]+m[2])
		}
	}
	if others < 300 {
		t.Errorf("only %d texts to compare with", others)
	}
}

func glob(t *testing.T, patterns ...string) (names []string) {
	t.Helper()
	for _, pattern := range patterns {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		names = append(names, list...)
	}
	return names
}

// TestREADME holds the counts of README.md against the corpus. Run it with -update to write them anew.
func TestREADME(t *testing.T) {
	c, spans := count(t)
	neutral := 0
	for _, e := range Entries() {
		if len(e.Marks) == 0 {
			neutral++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d texts, %d of them neutral; %d spans. Emotions are counted by text, attributes by span.\n\n| field | how often each value occurs |\n|---|---|\n", len(Entries()), neutral, spans)
	fields := []string{"register", "emotion", "emotions of a text"}
	for _, v := range dataset.Default().Attributes() {
		fields = append(fields, v.Name)
	}
	for _, field := range fields {
		values := slices.SortedFunc(maps.Keys(c[field]), func(a, b string) int {
			return cmp.Or(c[field][b]-c[field][a], strings.Compare(a, b))
		})
		for i, value := range values {
			values[i] = fmt.Sprint(value, " ", c[field][value])
		}
		fmt.Fprintf(&b, "| %s | %s |\n", field, strings.Join(values, ", "))
	}
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)(\n## Counts\n\n)(.*?)(\n## |$)`)
	at := section.FindSubmatchIndex(data)
	if at == nil {
		t.Fatal("README.md has no section Counts")
	}
	got := string(data[at[4]:at[5]])
	if got == b.String() {
		return
	}
	if !*update {
		t.Fatalf("README.md has\n%s\nthe corpus\n%s\n(go test ./calibrate/corpus -run README -update writes it anew)", got, b.String())
	}
	if err := os.WriteFile("README.md", slices.Concat(data[:at[4]], []byte(b.String()), data[at[5]:]), 0o666); err != nil {
		t.Fatal(err)
	}
}
