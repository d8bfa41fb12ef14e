package report

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/net/html"
)

var hostile = []string{
	`<script>alert(1)</script>`, `</script><script>alert(2)</script>`, `</style><img src=x onerror=alert(3)>`, `<!--<script>`, `-->`, `]]>`, `</title><h1>`,
	`" onmouseover="alert(4)`, `' onfocus='alert(5)`, `&lt;b&gt; &amp; &quot;`, "{{.}} ${1} `x`", `javascript:alert(6)`, `</svg><a href=http://example.org/>`,
	"\x1b[31mred\x1b[0m\x07\x00", "\u202egnirts desrever\u202c \u2066x", "שלום العربية", "a\u2028b\u2029c", `\u003cb\u003e`, "😀❤️",
}

// Whatever a record, a reference, a log, a manifest or a name holds, the page has the elements that it has without it.
func TestHostile(t *testing.T) {
	page := func(evil func(i int) string) doc {
		var records []*dataset.Record
		var labels []string
		var codes []RejectCode
		for i := range hostile {
			r := tagged(t, evil(i), "x [joy 0.5: yes ] y")
			r.SrcID, r.Model, r.Prompt = evil(i), evil(i), evil(i)
			r.Data.Tokens = []string{evil(i), "yes", evil(i)}
			r.Text = strings.Join(r.Data.Tokens, " ")
			r.Data.Labels = []string{"O", "B-EMO", "O"}
			r.Data.Spans[0].Start, r.Data.Spans[0].End = 1, 1
			r.Data.Spans[0].Attrs.TargetText, r.Data.Spans[0].Attrs.TargetRelation = evil(i), "cause"
			records = append(records, r)
			labels = append(labels, evil(i))
			codes = append(codes, RejectCode{evil(i), 1, []string{evil(i)}})
		}
		name := strings.Join(labels, " ")
		return written(t, lines(t, records...), Options{
			Name: name, Title: name, ReferenceName: name, Reference: says{labels}, Rejects: &Rejects{len(codes), codes}, RejectsNote: name,
			Meaning:  func(string) string { return name },
			Manifest: &dataset.Manifest{Model: name, Device: name, Prompt: name, Emospan: name, RejectCodes: map[string]int{name: 1}},
		})
	}
	d := page(func(i int) string { return hostile[i] })
	plain := page(func(i int) string { return "plain" + strings.Repeat("x", i) })
	elements := func(d doc) (list []string) {
		for _, n := range d.all("*") {
			list = append(list, n.Data)
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			}
		}
		return list
	}
	if got, want := elements(d), elements(plain); !slices.Equal(got, want) {
		t.Errorf("%d elements, want %d", len(got), len(want))
	}
	for n := range d.root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && strings.ContainsAny(n.Data, "\x1b\x00\x07\u202e\u2066") {
			t.Errorf("the page shows %q as it is", n.Data)
		}
	}
	got := d.blocks()
	if len(got) != 1 || !slices.Equal(got[0].ID, hostile) || !slices.Equal(got[0].Spans.Target, hostile) {
		t.Errorf("the records are not what they were: %+v", got)
	}
	for i, text := range got[0].Text {
		if text != hostile[i]+" yes "+hostile[i] {
			t.Errorf("%q", text)
		}
	}
}

// says is a reference that has the same labels for every text.
type says struct{ labels []string }

func (s says) Lookup(string, string) *Annotation {
	return &Annotation{Labels: s.labels, Spans: []dataset.Span{{Subtype: s.labels[0], Text: "yes"}}}
}

func (s says) Ekman() bool { return false }

// The policy lets the page's own style and script work and nothing else, and the page asks for nothing.
func TestPolicy(t *testing.T) {
	d := written(t, sample(t), Options{Name: "x"})
	policy, scripts, styles := "", 0, 0
	for _, n := range d.all("meta") {
		if attr(n, "http-equiv") == "Content-Security-Policy" {
			policy = attr(n, "content")
		}
	}
	sources := map[string]string{}
	for _, part := range strings.Split(policy, "; ") {
		name, source, _ := strings.Cut(part, " ")
		sources[name] = source
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	for _, n := range d.all("script") {
		if attr(n, "type") == "" {
			scripts++
			if hash(n.FirstChild.Data) != sources["script-src"] {
				t.Error("the policy forbids the page's own script")
			}
		}
	}
	for _, n := range d.all("style") {
		styles++
		if hash(n.FirstChild.Data) != sources["style-src"] {
			t.Error("the policy forbids the page's own style")
		}
	}
	if sources["default-src"] != "'none'" || len(sources) != 5 || scripts != 1 || styles != 1 {
		t.Errorf("policy %q, %d scripts, %d styles", policy, scripts, styles)
	}
	for _, n := range d.all("*") {
		if slices.Contains([]string{"link", "img", "iframe", "object", "embed", "base", "audio", "video", "image", "use"}, n.Data) {
			t.Errorf("the page has a %s", n.Data)
		}
	}
	for _, address := range []string{"://", "@import", "url(", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "insertAdjacentHTML", "document.write", "eval("} {
		if strings.Contains(d.raw, address) {
			t.Errorf("the page holds %s", address)
		}
	}
}

// Every chart in SVG that is more than a bar in a table has a title and a description.
func TestCharts(t *testing.T) {
	ref := says{[]string{"joy"}}
	d := written(t, sample(t), Options{Reference: ref})
	described := 0
	for _, n := range d.all("svg") {
		if attr(n, "aria-hidden") == "true" {
			continue
		}
		if attr(n, "role") != "img" {
			t.Error("a chart without a role")
		}
		for _, id := range strings.Fields(attr(n, "aria-labelledby")) {
			if text(d.byID(id)) == "" {
				t.Errorf("%s is empty", id)
			}
			described++
		}
	}
	if described != 2*5 {
		t.Errorf("%d titles and descriptions", described)
	}
	seen := map[string]bool{}
	for _, n := range d.all("*") {
		if id := attr(n, "id"); id != "" && seen[id] {
			t.Errorf("two elements %s", id)
		} else if id != "" {
			seen[id] = true
		}
	}
}
