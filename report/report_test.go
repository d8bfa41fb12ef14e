package report

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/net/html"
)

// tagged makes a valid record: words with [emotion confidence: in front of a span and ] behind it.
func tagged(t testing.TB, id, marked string) *dataset.Record {
	t.Helper()
	tax := dataset.Default()
	r := &dataset.Record{SrcID: id, Model: "tiny", Provider: dataset.Provider, Prompt: "level_2", Level: dataset.Level, Predictions: []string{}}
	var open *dataset.Span
	var spans []dataset.Span
	words := strings.Fields(marked)
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case strings.HasPrefix(word, "["):
			e, ok := tax.Emotion(word[1:])
			if !ok {
				t.Fatalf("no emotion %s", word)
			}
			open = &dataset.Span{Type: "EMO", Subtype: e.Subtype, Start: len(r.Data.Tokens), Attrs: dataset.Attrs{
				Valence: e.Valence, Intensity: "high", Certainty: "asserted", Temporality: "present", Source: "self", EmotionGroup: e.Group, TargetRelation: "none",
			}}
			i++
			if _, err := fmt.Sscanf(words[i], "%g:", &open.Attrs.Confidence); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(r.Predictions, e.Name) {
				r.Predictions = append(r.Predictions, e.Name)
			}
		case word == "]":
			open.End = len(r.Data.Tokens) - 1
			open.Text = strings.Join(r.Data.Tokens[open.Start:], " ")
			spans, open = append(spans, *open), nil
		default:
			label := "O"
			if open != nil {
				label = "I-EMO"
				if open.Start == len(r.Data.Tokens) {
					label = "B-EMO"
				}
			}
			r.Data.Tokens, r.Data.Labels = append(r.Data.Tokens, word), append(r.Data.Labels, label)
		}
	}
	if len(r.Predictions) == 0 {
		r.Predictions = []string{"neutral"}
	}
	r.Text, r.Data.Spans = strings.Join(r.Data.Tokens, " "), spans
	return r
}

func lines(t testing.TB, records ...*dataset.Record) string {
	t.Helper()
	var b []byte
	for _, r := range records {
		var err error
		if b, err = r.AppendJSON(b); err != nil {
			t.Fatal(err)
		}
		b = append(b, '\n')
	}
	return string(b)
}

func sample(t testing.TB) string {
	return lines(t,
		tagged(t, "a", "[joy 0.9: what a day ] and [love 0.8: you ]"),
		tagged(t, "b", "[joy 0.95: great ]"),
		tagged(t, "c", "[anger 0.35: stop ] it [anger 0.3: now ]"),
		tagged(t, "d", "the train leaves at nine"),
	)
}

// doc is a page as a browser's parser sees it.
type doc struct {
	t    testing.TB
	raw  string
	root *html.Node
}

func written(t testing.TB, src string, opts Options) doc {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(context.Background(), &b, strings.NewReader(src), opts); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return doc{t, b.String(), root}
}

// all returns the elements of a name.
func (d doc) all(name string) []*html.Node {
	var found []*html.Node
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && (name == "*" || n.Data == name) {
			found = append(found, n)
		}
	}
	return found
}

func (d doc) byID(id string) *html.Node {
	d.t.Helper()
	for _, n := range d.all("*") {
		if attr(n, "id") == id {
			return n
		}
	}
	d.t.Fatalf("no element %s", id)
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is an element's text with single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// rows are the texts of a table's rows, which lies somewhere in an element.
func rows(n *html.Node) []string {
	var list []string
	for c := range n.Descendants() {
		if c.Data == "tr" && c.Parent.Data == "tbody" {
			list = append(list, text(c))
		}
	}
	return list
}

// blocks unpacks the records that the page holds.
func (d doc) blocks() []block {
	d.t.Helper()
	var list []block
	for _, n := range d.all("script") {
		if attr(n, "class") != "block" {
			continue
		}
		packed, err := base64.StdEncoding.DecodeString(n.FirstChild.Data)
		if err != nil {
			d.t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			d.t.Fatal(err)
		}
		var b block
		if err := json.NewDecoder(z).Decode(&b); err != nil {
			d.t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

func TestSummary(t *testing.T) {
	ref, err := ReadReference(strings.NewReader(`{"src_id":"a","labels":["Happiness","love"]}
{"src_id":"b","labels":["joy"],"text":"great"}
{"src_id":"x","labels":["sadness"],"text":"stop it now"}
`), "ref", dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	d := written(t, sample(t), Options{
		Name: "in/a/folder/sample.jsonl", Title: "A sample", Reference: ref, ReferenceName: "folder/ref.jsonl",
		Manifest: &dataset.Manifest{Accepted: 4, Rejected: 1, Records: 5, RecordsPerSecond: 2.5, Started: start, Seconds: 90, PromptTokens: 3000, ForcedTokens: 600, SampledTokens: 400, Threads: 2, Parallel: 16},
		Rejects:  &Rejects{Records: 1, Codes: []RejectCode{{"span.text", 1, []string{"e"}}}},
		Meaning:  func(code string) string { return "about " + code },
	})
	tiles := map[string]string{}
	for _, dt := range d.all("dt") {
		tiles[text(dt)] = text(dt.NextSibling)
	}
	for name, want := range map[string]string{
		"records a second": "2.50", "with a span": "75.0 % 3", "spans": "5 1.25 a record", "emotions": "4 of 28", "tokens a text": "3.50 at most 5",
		"mean confidence": "0.66 of spans", "rejected": "1", "in the reference": "75.0 % 3", "same emotions": "66.7 % as the reference",
		"an emotion shared": "66.7 % with the reference", "time": "90.0 s, from 2025-03-01 12:00:00 UTC",
		"device": ", ; 2 threads, 16 records at a time",
	} {
		if tiles[name] != want {
			t.Errorf("%s: %q, want %q", name, tiles[name], want)
		}
	}
	for id, want := range map[string][]string{
		"emotions": {"joy 2 50.0 %", "anger 1 25.0 %", "love 1 25.0 %", "neutral 1 25.0 %"},
		"together": {"joy and love 1 100.0 %"},
		"run":      {"prompt 3,000 75.0 %", "forced 600 15.0 %", "sampled 400 10.0 %"},
		"rejects":  {"span.text about span.text records: e 1 100.0 %"},
		// 0.3 and 0.35 share a bin, 0.9 and 0.95 too; the reference has text c under another id.
		"reliability": {
			"0.30 to 0.40 2 0.325 0 0.0 % 0.0 to 65.8 %", "0.80 to 0.90 1 0.800 1 100.0 % 20.7 to 100.0 %", "0.90 to 1.00 2 0.925 2 100.0 % 34.2 to 100.0 %",
		},
	} {
		if got := rows(d.byID(id)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	// |0.65−0| + |0.8−1| + |1.85−2| over five spans
	if got := text(d.byID("reliability")); !strings.Contains(got, "60.0 % of 5 spans") || !strings.Contains(got, "calibration error: 0.200") {
		t.Errorf("%s", got)
	}
	attributes := rows(d.byID("attributes"))
	for _, want := range []string{"pos 3 60.0 %", "neg 2 40.0 %", "high 5 100.0 %", "low 0 0.0 %", "positive_affect 3 60.0 %", "none 5 100.0 %"} {
		if !slices.Contains(attributes, want) {
			t.Errorf("attributes: no %q in %q", want, attributes)
		}
	}
	links := map[string]string{}
	for _, n := range d.all("a") {
		links[text(n)] = attr(n, "href")
	}
	if links["joy"] != "#emotion=joy" || links["positive_affect"] != "#emotion_group=positive_affect" {
		t.Errorf("links %q", links)
	}
	lengths := rows(d.byID("lengths"))
	for _, want := range []string{"5 2", "1 1", "3 1", "0.30 to 0.35 1", "0.35 to 0.40 1", "0.95 to 1.00 1"} {
		if !slices.Contains(lengths, want) {
			t.Errorf("lengths: no %q in %q", want, lengths)
		}
	}
	if title, header := text(d.all("title")[0]), text(d.all("header")[0]); title != "A sample" || !strings.Contains(header, "4 records of sample.jsonl , beside the reference ref.jsonl ; model tiny .") {
		t.Errorf("title %q, header %q", title, header)
	}
	if strings.Contains(d.raw, "folder") {
		t.Error("the page names a folder")
	}
}

// What is missing is said where it would be.
func TestMissing(t *testing.T) {
	d := written(t, lines(t, tagged(t, "a", "nothing much")), Options{Name: "x.jsonl", ManifestNote: "No manifest <here>.", RejectsNote: "No log."})
	for id, want := range map[string]string{
		"together": "No record predicts two emotions.", "reliability": "emospan report x.jsonl --reference FILE", "run": "No manifest <here>.", "rejects": "No log.",
	} {
		if got := text(d.byID(id)); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	empty := written(t, "", Options{Name: "x.jsonl"})
	if got := text(empty.byID("emotions")); !strings.Contains(got, "no records") {
		t.Error(got)
	}
	stranger, err := ReadReference(strings.NewReader(`{"src_id":"z","labels":[]}`), "ref", dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	d = written(t, sample(t), Options{Reference: stranger, Manifest: &dataset.Manifest{Accepted: 9, RejectCodes: map[string]int{"a": 1, "b": 2}}})
	if got := text(d.byID("reliability")); !strings.Contains(got, "No record is in the reference") {
		t.Error(got)
	}
	if !strings.Contains(text(d.root), "counts 9 accepted records, this file holds 4") {
		t.Error("a manifest of another file passes")
	}
	if got := rows(d.byID("rejects")); !slices.Equal(got, []string{"b 2 –", "a 1 –"}) {
		t.Errorf("rejects by the manifest: %q", got)
	}
}

func TestInvalidLines(t *testing.T) {
	bad := strings.Replace(lines(t, tagged(t, "bad", "[joy 0.5: yes ]")), `"pos"`, `"purple"`, 1)
	src := "no JSON\n" + sample(t) + bad + "\n"
	var b bytes.Buffer
	result, err := Write(context.Background(), &b, strings.NewReader(src), Options{})
	if want := (Result{Records: 4, Embedded: 4, Invalid: 2}); err != nil || result != want {
		t.Errorf("%+v, %v", result, err)
	}
	for _, want := range []string{"as no valid records: 2 lines.", "<code>schema.syntax</code> 1 (line 1)", "<code>vocab.valence</code> 1 (line 6)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestLimit(t *testing.T) {
	d := written(t, sample(t), Options{Limit: 2})
	if got := d.blocks(); len(got) != 1 || !slices.Equal(got[0].ID, []string{"a", "b"}) {
		t.Errorf("%v", got)
	}
	if got := text(d.byID("records")); !strings.Contains(got, "first 2 of 4 records") {
		t.Error(got)
	}
	if got := rows(d.byID("emotions")); len(got) != 4 {
		t.Errorf("not all are counted: %q", got)
	}
}

// Blocks hold what the records have, over the border of a block too; offsets are UTF-16's.
func TestBlocks(t *testing.T) {
	tax := dataset.Default()
	var records []*dataset.Record
	for i := range blockRecords + 100 {
		r, _ := synthetic(tax, i)
		records = append(records, r)
	}
	d := written(t, lines(t, records...), Options{})
	blocks := d.blocks()
	if len(blocks) != 2 || len(blocks[0].ID) != blockRecords || len(blocks[1].ID) != 100 {
		t.Fatalf("%d blocks", len(blocks))
	}
	var m meta
	if err := json.Unmarshal([]byte(d.byID("meta").FirstChild.Data), &m); err != nil {
		t.Fatal(err)
	}
	i := 0
	for _, b := range blocks {
		span, label := 0, 0
		for k, id := range b.ID {
			r := records[i]
			i++
			if id != r.SrcID || b.Text[k] != r.Text || b.Spans.Count[k] != len(r.Data.Spans) {
				t.Fatalf("%s: %s %q", r.SrcID, id, b.Text[k])
			}
			var predicted []string
			for range b.Predictions.Count[k] {
				predicted = append(predicted, m.Names[b.Predictions.Name[label]])
				label++
			}
			if !slices.Equal(predicted, r.Predictions) {
				t.Fatalf("%s: %q", id, predicted)
			}
			units := utf16.Encode([]rune(r.Text))
			for _, want := range r.Data.Spans {
				got := want
				got.Text = string(utf16.Decode(units[b.Spans.Start[span]:b.Spans.End[span]]))
				got.Subtype = tax.Subtype(m.Names[b.Spans.Name[span]])
				value := func(attr int) string { return m.Attributes[attr].Values[b.Spans.Attrs[attr][span]] }
				got.Attrs = dataset.Attrs{
					Valence: value(0), Intensity: value(1), Certainty: value(2), Temporality: value(3), Source: value(4), EmotionGroup: value(5),
					SentenceIndex: b.Spans.Sentence[span], ClauseIndex: b.Spans.Clause[span], Confidence: b.Spans.Confidence[span],
					TargetText: b.Spans.Target[span], TargetRelation: value(6),
				}
				span++
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: %+v, want %+v", id, got, want)
				}
			}
		}
	}
}

// Equal files make equal pages.
func TestDeterministic(t *testing.T) {
	opts := Options{Name: "x", Manifest: &dataset.Manifest{RejectCodes: map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}}}
	first := written(t, sample(t), opts).raw
	for range 5 {
		if written(t, sample(t), opts).raw != first {
			t.Fatal("two pages of one file differ")
		}
	}
}

type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestErrors(t *testing.T) {
	whole := len(written(t, sample(t), Options{}).raw)
	for left := 0; left < whole; left += 997 {
		if _, err := Write(context.Background(), &failing{left}, strings.NewReader(sample(t)), Options{}); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("%d bytes written: %v", left, err)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(io.ErrClosedPipe)
	if _, err := Write(ctx, io.Discard, strings.NewReader(sample(t)), Options{}); err != io.ErrClosedPipe {
		t.Errorf("cancelled: %v", err)
	}
	broken := io.MultiReader(strings.NewReader(sample(t)), brokenReader{})
	if _, err := Write(context.Background(), io.Discard, broken, Options{Name: "in"}); err == nil || !strings.HasPrefix(err.Error(), "in:5: ") {
		t.Errorf("broken source: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
