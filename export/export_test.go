package export

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
	"github.com/parquet-go/parquet-go"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples are valid records with what offsets and formats could go wrong over.
func samples(t testing.TB) []*dataset.Record {
	t.Helper()
	data, err := os.ReadFile("testdata/records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list []*dataset.Record
	for line := range bytes.Lines(data) {
		r, problems := validate.Decode(line, dataset.Default())
		if r != nil {
			problems = append(problems, validate.Record(r, dataset.Default())...)
		}
		if len(problems) > 0 {
			t.Fatalf("%s: %v", line, problems)
		}
		list = append(list, r)
	}
	if len(list) < 10 {
		t.Fatalf("%d records", len(list))
	}
	return list
}

// write exports records and returns what was written and noted.
func write(t testing.TB, format string, o Options, records []*dataset.Record) ([]byte, []string) {
	t.Helper()
	f, ok := Lookup(format)
	if !ok {
		t.Fatalf("no format %s", format)
	}
	o.Taxonomy = dataset.Default()
	var out bytes.Buffer
	w, err := f.New(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.Notes()
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%s differs from byte %d on (-update writes it anew):\ngot  %.200q\nwant %.200q", path, i, got[i:], want[i:])
	}
}

func TestGolden(t *testing.T) {
	records := samples(t)
	for _, tt := range []struct {
		format, file string
		opts         Options
		notes        []string
	}{
		{format: CoNLL, file: "plain.conll", notes: []string{"3 tokens with white space or control characters, written as U+FFFD"}},
		{format: CoNLL, file: "ids.conll", opts: Options{Names: ByEmotion, IDs: true}, notes: []string{"3 tokens with white space or control characters, written as U+FFFD"}},
		{format: CoNLL, file: "bioes.conll", opts: Options{BIOES: true}, notes: []string{"3 tokens with white space or control characters, written as U+FFFD"}},
		{format: CSV, file: "records.csv"},
		{format: CSVSpans, file: "spans.csv", opts: Options{BOM: true}, notes: []string{"2 records without a span, so without a row"}},
		{format: LabelStudio, file: "label-studio.json"},
		{format: Doccano, file: "doccano.jsonl"},
		{format: Prodigy, file: "prodigy.jsonl"},
		{format: Argilla, file: "argilla.json", notes: []string{
			"2 records where a span lies after an emoji or another character above U+FFFF, or holds one: Argilla's page shows it too far to the left; its API and its exports have it right",
		}},
		{format: GLiNER, file: "gliner.json"},
		{format: GLiNER, file: "gliner-type.json", opts: Options{Names: ByType}},
	} {
		got, notes := write(t, tt.format, tt.opts, records)
		golden(t, tt.file, bytes.ReplaceAll(got, []byte{0}, []byte("␀"))) // files of the project are text
		if !slices.Equal(notes, tt.notes) {
			t.Errorf("%s notes %q, want %q", tt.file, notes, tt.notes)
		}
		if !utf8.Valid(got) {
			t.Errorf("%s is not UTF-8", tt.file)
		}
	}
}

// TestEmpty looks at what no records at all become.
func TestEmpty(t *testing.T) {
	for format, want := range map[string]string{
		CoNLL: "", LabelStudio: "[]\n", Doccano: "", Prodigy: "", Argilla: "[]\n", GLiNER: "[]\n",
	} {
		if got, _ := write(t, format, Options{}, nil); string(got) != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
}

func TestBIOES(t *testing.T) {
	for bio, want := range map[string]string{
		"":                  "",
		"O O":               "O O",
		"B-X":               "S-X",
		"B-X I-X":           "B-X E-X",
		"B-X I-X I-X O":     "B-X I-X E-X O",
		"B-X B-X I-X O B-Y": "S-X B-X E-X O S-Y",
	} {
		tags := strings.Fields(bio)
		if bioes(tags); strings.Join(tags, " ") != want {
			t.Errorf("%q: %q, want %q", bio, tags, want)
		}
	}
}

func TestConllWithoutTokens(t *testing.T) {
	r := *samples(t)[1]
	r.Text, r.Data = " \u3000", dataset.Data{}
	got, notes := write(t, CoNLL, Options{}, []*dataset.Record{&r})
	if len(got) > 0 || !slices.Equal(notes, []string{"1 record without tokens, left out"}) {
		t.Errorf("%q, notes %q", got, notes)
	}
}

// TestMisaligned has records that validate would not let pass: they are errors, not wrong offsets.
func TestMisaligned(t *testing.T) {
	for _, spoil := range []func(*dataset.Record){
		func(r *dataset.Record) { r.Data.Tokens = append([]string{"A"}, r.Data.Tokens[1:]...) },
		func(r *dataset.Record) { r.Data.Tokens = append([]string{""}, r.Data.Tokens...) },
		func(r *dataset.Record) { r.Data.Spans = []dataset.Span{{Start: 3, End: 99}} },
		func(r *dataset.Record) { r.Data.Spans = []dataset.Span{{Start: -1, End: 1}} },
	} {
		r := *samples(t)[0]
		spoil(&r)
		for _, format := range []string{LabelStudio, Doccano, Prodigy, Argilla, SpaCy} {
			f, _ := Lookup(format)
			w, err := f.New(new(bytes.Buffer), Options{Taxonomy: dataset.Default()})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(&r); err == nil || !strings.Contains(err.Error(), `"l2_0"`) {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
}

// charSpan is a span of the text in code points, which a slice of runes tells the text of.
type charSpan struct {
	start, end int
	label      string
}

// wantSpans finds the spans by their own text: the first that stands behind the one before, from the start of a token.
func wantSpans(r *dataset.Record) []charSpan {
	list, at := []charSpan{}, 0
	ends := make([]int, len(r.Data.Tokens))
	starts := make([]int, len(r.Data.Tokens))
	for i, token := range r.Data.Tokens {
		starts[i] = at + strings.Index(r.Text[at:], token)
		at = starts[i] + len(token)
		ends[i] = at
	}
	points := func(n int) int { return len([]rune(r.Text[:n])) }
	for _, s := range r.Data.Spans {
		list = append(list, charSpan{points(starts[s.Start]), points(ends[s.End]), s.Subtype})
	}
	return list
}

// randomRecord strings tokens together that are awkward in one format or another.
func randomRecord(rng *rand.Rand, id int) *dataset.Record {
	words := []string{"joy", "é", "e\u0301", "😂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "𝒑", "\u200b", "\u200d", "\ufeff", "\x01", "#", "\"", "\\", "case", "日本", "ا", "\u0301", "-DOCSTART-"}
	spaces := []string{"", " ", " ", "  ", "\t", "\n", "\u00a0", "\u2028", "\u0085", "\u3000 ", " \r\n"}
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	r := &dataset.Record{SrcID: fmt.Sprint("r", id), Model: "m", Provider: "p", Prompt: "level_2", Level: dataset.Level}
	var text strings.Builder
	text.WriteString(pick(spaces))
	starts, ends := []int{}, []int{}
	for range 1 + rng.IntN(8) {
		token := pick(words)
		starts = append(starts, text.Len())
		text.WriteString(token)
		ends = append(ends, text.Len())
		r.Data.Tokens = append(r.Data.Tokens, token)
		r.Data.Labels = append(r.Data.Labels, "O")
		text.WriteString(pick(spaces))
	}
	r.Text = text.String()
	emotions := dataset.Default().Emotions()
	for at := rng.IntN(3); at < len(r.Data.Tokens); at += rng.IntN(3) {
		end := min(at+rng.IntN(3), len(r.Data.Tokens)-1)
		e := emotions[rng.IntN(len(emotions)-1)] // but neutral, the last
		r.Data.Spans = append(r.Data.Spans, dataset.Span{
			Type: "EMO", Subtype: e.Subtype, Start: at, End: end, Text: r.Text[starts[at]:ends[end]],
			Attrs: dataset.Attrs{
				Valence: e.Valence, Intensity: "med", Certainty: "asserted", Temporality: "none", Source: "self", EmotionGroup: e.Group,
				Confidence: rng.Float64(), TargetRelation: "none",
			},
		})
		if !slices.Contains(r.Predictions, e.Name) {
			r.Predictions = append(r.Predictions, e.Name)
		}
		r.Data.Labels[at] = "B-EMO"
		for at++; at <= end; at++ {
			r.Data.Labels[at] = "I-EMO"
		}
	}
	if r.Predictions == nil {
		r.Predictions = []string{"neutral"}
	}
	return r
}

func randomRecords(t *testing.T, n int) []*dataset.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	var records []*dataset.Record
	for i := range n {
		r := randomRecord(rng, i)
		if problems := validate.Record(r, dataset.Default()); len(problems) > 0 {
			t.Fatalf("%+v: %v", r, problems)
		}
		records = append(records, r)
	}
	return records
}

// TestSpansComeBack reads each format again and finds the spans that the records have.
func TestSpansComeBack(t *testing.T) {
	records := append(samples(t), randomRecords(t, 2000)...)
	readers := map[string]func(t *testing.T, data []byte) (texts []string, spans [][]charSpan){
		LabelStudio: readLabelStudio, Doccano: readDoccano, Prodigy: readProdigy, Argilla: readArgilla, SpaCy: readSpaCy,
	}
	for format, read := range readers {
		data, _ := write(t, format, Options{}, records)
		texts, spans := read(t, data)
		if len(texts) != len(records) {
			t.Errorf("%s: %d of %d records", format, len(texts), len(records))
			continue
		}
		for i, r := range records {
			if texts[i] != r.Text {
				t.Fatalf("%s: text %q, want %q", format, texts[i], r.Text)
			}
			if want := wantSpans(r); !reflect.DeepEqual(spans[i], want) {
				t.Fatalf("%s: %q: spans %v, want %v", format, r.Text, spans[i], want)
			}
			runes := []rune(r.Text)
			for k, s := range spans[i] {
				if got := string(runes[s.start:s.end]); got != r.Data.Spans[k].Text {
					t.Fatalf("%s: span %q, want %q", format, got, r.Data.Spans[k].Text)
				}
			}
		}
	}
}

func TestTokensComeBack(t *testing.T) {
	records := append(samples(t), randomRecords(t, 2000)...)
	for _, names := range []Names{ByType, ByEmotion} {
		data, _ := write(t, CoNLL, Options{Names: names}, records)
		blocks := strings.Split(strings.TrimSuffix(string(data), "\n\n"), "\n\n")
		if len(blocks) != len(records) {
			t.Fatalf("%d blocks of %d records", len(blocks), len(records))
		}
		for i, r := range records {
			lines := strings.Split(blocks[i], "\n")
			for k, token := range r.Data.Tokens {
				word, tag, _ := strings.Cut(lines[k], "\t")
				want := r.Data.Labels[k]
				if names == ByEmotion && want != "O" {
					s := slices.IndexFunc(r.Data.Spans, func(s dataset.Span) bool { return s.Start <= k && k <= s.End })
					want = want[:2] + r.Data.Spans[s].Subtype
				}
				if word != strings.Map(inColumn, token) || tag != want {
					t.Fatalf("%s: line %q of token %q, tag %s", r.SrcID, lines[k], token, want)
				}
			}
			if len(lines) != len(r.Data.Tokens) {
				t.Fatalf("%s: %d lines of %d tokens", r.SrcID, len(lines), len(r.Data.Tokens))
			}
		}
	}
	data, _ := write(t, GLiNER, Options{}, records)
	var examples []glinerExample
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		for k, s := range r.Data.Spans {
			if got := fmt.Sprint(examples[i].NER[k]); got != fmt.Sprint([3]any{s.Start, s.End, s.Subtype}) {
				t.Fatalf("%s: %s", r.SrcID, got)
			}
		}
		if !slices.Equal(examples[i].TokenizedText, r.Data.Tokens) || len(examples[i].NER) != len(r.Data.Spans) {
			t.Fatalf("%s: %+v", r.SrcID, examples[i])
		}
	}
}

func TestParquetComesBack(t *testing.T) {
	records := append(samples(t), randomRecords(t, rowGroupRows+5)...)
	data, _ := write(t, Parquet, Options{}, records)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RowGroups()); n != 2 {
		t.Errorf("%d row groups", n)
	}
	golden(t, "parquet.schema", []byte(f.Schema().String()+"\n"))
	rows, err := parquet.Read[parquetRecord[parquetAttrs]](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(records) {
		t.Fatalf("%d rows of %d records", len(rows), len(records))
	}
	for i, r := range records {
		// The two types have the same members under the same names but for the integers' widths.
		row, err := json.Marshal(unparquet(&rows[i]))
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if string(row) != string(bytes.ReplaceAll(want, []byte(`"spans":null`), []byte(`"spans":[]`))) {
			t.Fatalf("row %s\nwant %s", row, want)
		}
	}
}

func unparquet(p *parquetRecord[parquetAttrs]) *dataset.Record {
	r := &dataset.Record{
		SrcID: p.SrcID, Model: p.Model, Provider: p.Provider, Prompt: p.Prompt, Level: p.Level, Predictions: p.Predictions, Text: p.Text,
		Data: dataset.Data{Tokens: p.Data.Tokens, Labels: p.Data.Labels, Spans: []dataset.Span{}},
	}
	for _, s := range p.Data.Spans {
		a := s.Attrs
		r.Data.Spans = append(r.Data.Spans, dataset.Span{
			Type: s.Type, Subtype: s.Subtype, Start: int(s.Start), End: int(s.End), Text: s.Text,
			Attrs: dataset.Attrs{
				Valence: a.Valence, Intensity: a.Intensity, Certainty: a.Certainty, Temporality: a.Temporality, Source: a.Source,
				EmotionGroup: a.EmotionGroup, SentenceIndex: int(a.SentenceIndex), ClauseIndex: int(a.ClauseIndex),
				Confidence: a.Confidence, TargetText: a.TargetText, TargetRelation: a.TargetRelation,
			},
		})
	}
	return r
}
