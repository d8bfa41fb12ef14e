package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func sampleRecord() *Record {
	return &Record{
		SrcID: "l2_0", Model: "tiny", Provider: Provider, Prompt: "level_2", Level: Level,
		Predictions: []string{"joy"},
		Text:        "Sunshine <3 & \"tea\"",
		Data: Data{
			Tokens: []string{"Sunshine", "<3", "&", "\"", "tea", "\""},
			Labels: []string{"B-EMO", "O", "O", "O", "O", "O"},
			Spans: []Span{{Type: "EMO", Subtype: "Joy", Text: "Sunshine", Attrs: Attrs{
				Valence: "pos", Intensity: "low", Certainty: "asserted", Temporality: "none", Source: "self",
				EmotionGroup: "positive_affect", SentenceIndex: 0, ClauseIndex: 1, Confidence: 1, TargetRelation: "none",
			}}},
		},
	}
}

const sampleLine = `{"src_id":"l2_0","model":"tiny","provider":"emospan","prompt":"level_2","level":"level2","predictions":["joy"],"text":"Sunshine <3 & \"tea\"","data":{"tokens":["Sunshine","<3","&","\"","tea","\""],"labels":["B-EMO","O","O","O","O","O"],"spans":[{"type":"EMO","subtype":"Joy","start":0,"end":0,"text":"Sunshine","attrs":{"valence":"pos","intensity":"low","certainty":"asserted","temporality":"none","source":"self","emotion_group":"positive_affect","sentence_index":0,"clause_index":1,"confidence":1.0,"target_text":"","target_relation":"none"}}]}}`

func TestAppendJSON(t *testing.T) {
	got, err := sampleRecord().AppendJSON([]byte("before"))
	if err != nil || string(got) != "before"+sampleLine {
		t.Errorf("got  %s, %v\nwant %s", got, err, sampleLine)
	}
}

// TestKeys compares the hand-written encoding with encoding/json's reading of
// the struct tags, which say the same.
func TestKeys(t *testing.T) {
	r := sampleRecord()
	r.Data.Spans[0].Attrs.Confidence = 0.25
	got, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		t.Fatal(err)
	}
	if string(got) != strings.TrimSpace(want.String()) {
		t.Errorf("got  %s\nwant %s", got, want.String())
	}
}

func TestAppendJSONEmpty(t *testing.T) {
	got, err := new(Record).AppendJSON(nil)
	want := `{"src_id":"","model":"","provider":"","prompt":"","level":"","predictions":[],"text":"","data":{"tokens":[],"labels":[],"spans":[]}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestConfidence(t *testing.T) {
	tests := []struct {
		in   float64
		want string
	}{
		{0, "0.0"}, {1, "1.0"}, {0.5, "0.5"}, {0.91, "0.91"}, {1e-7, "0.0000001"}, {1.0 / 3, "0.3333333333333333"}, {1e21, "1000000000000000000000.0"},
	}
	for _, tt := range tests {
		w := jsonWriter{}
		if w.float("", tt.in); string(w.dst) != tt.want {
			t.Errorf("%v is written as %s, want %s", tt.in, w.dst, tt.want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		r := sampleRecord()
		r.Data.Spans[0].Attrs.Confidence = f
		if got, err := r.AppendJSON([]byte("x")); err == nil || string(got) != "x" {
			t.Errorf("%v: %s, %v", f, got, err)
		}
	}
}

func TestStrings(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", `""`},
		{"a\x00\x1f\b\f\n\r\t", `"a\u0000\u001f\b\f\n\r\t"`},
		{`\"/`, `"\\\"/"`},
		{"<>&'", `"<>&'"`},
		{"é 👩\u200d🚀 \u2028", "\"é 👩\u200d🚀 \u2028\""},
	}
	for _, tt := range tests {
		w := jsonWriter{}
		if w.str("", tt.in); string(w.dst) != tt.want || w.err != nil {
			t.Errorf("%q: %s, %v", tt.in, w.dst, w.err)
		}
	}
}

func TestInvalidUTF8(t *testing.T) {
	edits := []func(*Record){
		func(r *Record) { r.Text = "a\xff" },
		func(r *Record) { r.Predictions[0] = "\xc3" },
		func(r *Record) { r.Data.Spans[0].Attrs.TargetText = "\xed\xa0\x80" },
	}
	for i, edit := range edits {
		r := sampleRecord()
		edit(r)
		got, err := r.AppendJSON([]byte("x"))
		if err == nil || string(got) != "x" || !strings.Contains(err.Error(), "l2_0") {
			t.Errorf("%d: %s, %v", i, got, err)
		}
	}
}

func TestRejectAppendJSON(t *testing.T) {
	r := &Reject{SrcID: "a", Line: 3, Index: 1, Model: "m", Prompt: "level_2", Decode: "compact", Text: "so\x00", Seed: -1,
		Reasons: []Reason{{"span.text", "/data/spans/0/text", `"a"`, `"b"`}, {Code: "x"}}, Raw: "cut \xe2\x82"}
	got, err := r.AppendJSON(nil)
	want := `{"src_id":"a","line":3,"index":1,"model":"m","prompt":"level_2","decode":"compact","text":"so\u0000","seed":-1,"reasons":[{"code":"span.text","path":"/data/spans/0/text","expected":"\"a\"","found":"\"b\""},{"code":"x","path":"","expected":"","found":""}],"raw":"cut ` + "\ufffd\ufffd" + `"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	r.Raw = "cut \ufffd\ufffd"
	if back, err := ParseReject(got); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("read back: %+v, %v", back, err)
	}
	r.Labels = []string{"joy", "love"}
	got, err = r.AppendJSON(nil)
	if back, readErr := ParseReject(got); err != nil || readErr != nil || !reflect.DeepEqual(back, r) || !strings.Contains(string(got), `,"text":"so\u0000","labels":["joy","love"],"seed":`) {
		t.Errorf("with labels: %s, read back %+v, %v", got, back, readErr)
	}
}

func TestParseReject(t *testing.T) {
	for _, tt := range []struct {
		line, err string
		index     int
	}{
		{`{"src_id":"a","line":9,"index":4,"text":"b"}`, "", 4},
		{`{"src_id":"a","line":9,"text":"b"}`, "", 8}, // as if no line were blank
		{`{"src_id":"a","index":0,"line":9,"mood":{"a":[]},"text":"b"}`, "", 0},
		{`{"src_id":"a","text":"b"}`, "", -1},
		{`{"src_id":5}`, "src_id", 0},
		{`{"src_id":"a"`, "reject", 0},
	} {
		r, err := ParseReject([]byte(tt.line))
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v", tt.line, err)
			}
		case err != nil || r.SrcID != "a" || r.Text != "b" || r.Index != tt.index:
			t.Errorf("%s: %+v, %v", tt.line, r, err)
		}
	}
}

func ExampleRecord_AppendJSON() {
	r := &Record{
		SrcID: "l2_0", Model: "tiny", Provider: Provider, Prompt: "simple", Level: Level,
		Predictions: []string{"relief"},
		Text:        "Home at last",
		Data:        Data{Tokens: []string{"Home", "at", "last"}, Labels: []string{"O", "O", "O"}},
	}
	line, err := r.AppendJSON(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(line))
	// Output:
	// {"src_id":"l2_0","model":"tiny","provider":"emospan","prompt":"simple","level":"level2","predictions":["relief"],"text":"Home at last","data":{"tokens":["Home","at","last"],"labels":["O","O","O"],"spans":[]}}
}

func ExampleWriter() {
	w, err := Create("-", false)
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Write(&Reject{SrcID: "l2_4", Line: 5, Index: 4, Reasons: []Reason{{Code: "alignment.gap", Path: "/data/tokens/2"}}})
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"src_id":"l2_4","line":5,"index":4,"model":"","prompt":"","decode":"","text":"","seed":0,"reasons":[{"code":"alignment.gap","path":"/data/tokens/2","expected":"","found":""}],"raw":""}
}

func ExampleReader() {
	src := strings.NewReader("{\"id\":\"a\",\"text\":\"What a view!\"}\n{\"id\":\"b\"}\n{\"text\":\"Not again.\"}\n")
	r, err := NewReader(src, "-", ReaderOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	for {
		in, err := r.Next()
		var bad *LineError
		if errors.As(err, &bad) {
			fmt.Println(bad)
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(in.Index, in.ID, in.Text)
	}
	// Output:
	// 0 a What a view!
	// standard input:2: want a text, found nothing at /text
	// 2 l2_2 Not again.
	// EOF
}
