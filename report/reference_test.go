package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func TestReference(t *testing.T) {
	ref, err := ReadReference(strings.NewReader(lines(t, tagged(t, "r1", "[joy 1: good ] day"))+`{"src_id":"r2","text":"so sad","labels":["Sad","sadness","odd one"]}
{"text":"no id","labels":[]}
{"src_id":"r3","labels":["fear"]}
{"src_id":"r2","text":"again","labels":["anger"]}
`), "ref", dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ id, text, want string }{
		{"r1", "good day", "[joy] 1 true"},
		{"other", "good day", "[joy] 1 true"},
		{"r1", "other text", "[] 0 false"},
		{"r2", "so sad", "[odd one sadness] 0 true"},
		{"r2", "again", "[anger] 0 true"}, // the id is another text's
		{"x", "no id", "[] 0 true"},
		{"r3", "whatever", "[fear] 0 true"}, // a line without a text goes by its id
		{"", "", "[] 0 false"},
		{"x", "y", "[] 0 false"},
	} {
		got := "[] 0 false"
		if a := ref.Lookup(tt.id, tt.text); a != nil {
			got = fmt.Sprint(a.Labels, len(a.Spans), true)
		}
		if got != tt.want {
			t.Errorf("%s, %q: %s, want %s", tt.id, tt.text, got, tt.want)
		}
	}
	if ref.Ekman() {
		t.Error("its labels are Ekman's classes")
	}
	for line, want := range map[string]string{
		`{"src_id":"a"}`: "ref:2: neither labels, predictions nor spans", `{"labels":["joy"]}`: "neither src_id nor text", `x`: "ref:2: ", `{"src_id":[],"labels":[]}`: "ref:2: ",
	} {
		_, err := ReadReference(strings.NewReader("{\"src_id\":\"ok\",\"labels\":[]}\n"+line+"\n"), "ref", dataset.Default())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// Spans with character offsets: labels and places are made of them.
func TestCharacterReference(t *testing.T) {
	ref, err := ReadReference(strings.NewReader(`{"src_id":"a","text":"😀 so glad, so mad","spans":[{"kind":"emotion","label":"Love","start":2,"end":9},{"label":"trust","start":11,"end":17},{"kind":"entity","label":"other","start":0,"end":99}],"relations":[]}
{"src_id":"b","text":"it is","spans":[]}
`), "ref", dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	a := ref.Lookup("a", "😀 so glad, so mad")
	if !ref.Ekman() || a == nil || !a.Characters || fmt.Sprint(a.Labels) != "[joy trust]" || len(a.Spans) != 2 {
		t.Fatalf("%+v", a)
	}
	for i, want := range []extent{{5, 12, 3, 10}, {14, 20, 12, 18}} {
		if got := characters(&a.Spans[i], "😀 so glad, so mad"); got != want {
			t.Errorf("span %d: %+v, want %+v", i, got, want)
		}
	}
	if b := ref.Lookup("", "it is"); b == nil || fmt.Sprint(b.Labels) != "[neutral]" {
		t.Errorf("%+v", b)
	}
	for line, want := range map[string]string{
		`{"text":"ab","spans":[{"label":"joy","start":0,"end":3}]}`: "ref:2: /spans/0: start 0 and end 3, expected 0 ≤ start < end ≤ 2",
		`{"text":"ab","spans":[{"label":"joy","start":1,"end":1}]}`: "start 1 and end 1",
		`{"src_id":"x","spans":[]}`:                                 "no text that the spans lie in",
		`{"src_id":"x","labels":["joy"]}`:                           "ref:2: lines with spans by character beside others",
	} {
		_, err := ReadReference(strings.NewReader(`{"text":"a","spans":[]}`+"\n"+line+"\n"), "ref", dataset.Default())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// A reference's spans are found in the text whether its tokens are the record's or not.
func TestPlace(t *testing.T) {
	text := "😀 no no, really no"
	tokens := extents(text, []string{"😀", "no", "no", ",", "really", "no"})
	for _, tt := range []struct {
		start, end int
		span       string
		want       [2]int
	}{
		{2, 2, "no", [2]int{6, 8}}, {4, 5, "really no", [2]int{10, 19}}, {1, 1, "really no", [2]int{10, 19}}, {9, 9, "no", [2]int{3, 5}},
		{0, 0, "absent", [2]int{-1, -1}}, {0, 0, "", [2]int{-1, -1}}, {-1, 7, "😀", [2]int{0, 2}},
	} {
		at := place(&dataset.Span{Start: tt.start, End: tt.end, Text: tt.span}, text, tokens)
		if got := [2]int{at.start16, at.end16}; got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestRejects(t *testing.T) {
	var log []byte
	for i := range 7 {
		reject := dataset.Reject{SrcID: fmt.Sprintf("id%d", i), Reasons: []dataset.Reason{{Code: "span.text"}, {Code: "span.text"}}}
		if i == 0 {
			reject.SrcID = strings.Repeat("long", 100)
			reject.Reasons = append(reject.Reasons, dataset.Reason{Code: "label.bio"})
		}
		log, _ = reject.AppendJSON(log)
		log = append(log, '\n')
	}
	got, err := ReadRejects(strings.NewReader(string(log)), "log")
	long := strings.Repeat("long", 20) + "…"
	if want := fmt.Sprintf("{7 [{span.text 7 [%s id1 id2 id3 id4]} {label.bio 1 [%s]}]}", long, long); err != nil || fmt.Sprint(*got) != want {
		t.Errorf("%v, %v", *got, err)
	}
	for line, want := range map[string]string{"x": "log:1: ", `{"src_id":"a"}`: "no reasons"} {
		if _, err := ReadRejects(strings.NewReader(line), "log"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}
