package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// mutations each break a record; false says that this one has nothing to break.
var mutations = []struct {
	name          string
	card, program string // what each check says: a pattern, and a code
	edit          func(*dataset.Record) bool
}{
	{"no id", "src_id is empty", "schema.empty", func(r *dataset.Record) bool { r.SrcID = ""; return true }},
	{"no model", "model is empty", "schema.empty", func(r *dataset.Record) bool { r.Model = ""; return true }},
	{"another level", "level level_2", "schema.level", func(r *dataset.Record) bool { r.Level = "level_2"; return true }},
	{"no predictions", "predictions", "emotion.empty", func(r *dataset.Record) bool { r.Predictions = nil; return true }},
	{"unknown emotion", "predictions", "emotion.unknown", func(r *dataset.Record) bool { r.Predictions[0] = "schadenfreude"; return true }},
	{"capital emotion", "predictions", "emotion.case", func(r *dataset.Record) bool { r.Predictions[0] = "Joy"; return true }},
	{"emotion twice", "predictions", "emotion.duplicate", func(r *dataset.Record) bool {
		r.Predictions = append(r.Predictions, r.Predictions[0])
		return true
	}},
	{"neutral with another", "neutral", "emotion.neutral_alone", func(r *dataset.Record) bool { r.Predictions = []string{"neutral", "joy"}; return true }},
	{"token dropped", "tokens, .* labels", "alignment.length", func(r *dataset.Record) bool { r.Data.Tokens = r.Data.Tokens[1:]; return true }},
	{"token and label dropped", "not the text's", "alignment.gap", func(r *dataset.Record) bool {
		last := len(r.Data.Tokens) - 1
		r.Data.Tokens, r.Data.Labels = r.Data.Tokens[:last], r.Data.Labels[:last]
		return true
	}},
	{"token changed", "not the text's", "alignment.token_text", func(r *dataset.Record) bool { r.Data.Tokens[0] += "ſ"; return true }},
	{"token empty", "not the text's", "alignment.empty_token", func(r *dataset.Record) bool { r.Data.Tokens[0] = ""; return true }},
	{"text longer", "not the text's", "alignment.gap", func(r *dataset.Record) bool { r.Text += " Really."; return true }},
	{"label too many", "tokens, .* labels", "alignment.length", func(r *dataset.Record) bool { r.Data.Labels = append(r.Data.Labels, "O"); return true }},
	{"label swapped", "otherwise", "span.labels", func(r *dataset.Record) bool { return replace(r.Data.Labels, "O", "B-EMO") }},
	{"span unlabelled", "otherwise", "span.labels", func(r *dataset.Record) bool { return replace(r.Data.Labels, "B-EMO", "O") }},
	{"span goes on with B", "otherwise", "span.labels", func(r *dataset.Record) bool { return replace(r.Data.Labels, "I-EMO", "B-EMO") }},
	{"I first", "otherwise", "label.bio", func(r *dataset.Record) bool { return replace(r.Data.Labels, "B-EMO", "I-EMO") }},
	{"unknown label", "otherwise", "label.value", func(r *dataset.Record) bool { return replace(r.Data.Labels, "O", "B-PER") }},
	{"start shifted", "otherwise", "span.labels", spanEdit(func(r *dataset.Record, s *dataset.Span) bool {
		s.Start--
		return s.Start >= 0 && r.Data.Labels[s.Start] == "O" // else it overlaps the span before
	})},
	{"end shifted", "otherwise", "", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { s.End++; return true })},
	{"end before start", "otherwise", "span.range", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { s.End = s.Start - 1; return true })},
	{"end exclusive and behind the last token", "otherwise", "span.range", spanEdit(func(r *dataset.Record, s *dataset.Span) bool { s.End = len(r.Data.Tokens); return true })},
	{"span twice", "otherwise", "span.overlap", func(r *dataset.Record) bool {
		if len(r.Data.Spans) == 0 {
			return false
		}
		r.Data.Spans = append(r.Data.Spans, r.Data.Spans[len(r.Data.Spans)-1])
		return true
	}},
	{"span text cut", "span text", "span.text", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool {
		s.Text = s.Text[:len(s.Text)-1]
		return s.Text[len(s.Text)-1:] < "\x80"
	})},
	{"span text of tokens", "span text", "span.text", spanEdit(func(r *dataset.Record, s *dataset.Span) bool {
		joined := strings.Join(r.Data.Tokens[s.Start:s.End+1], "_")
		s.Text, joined = joined, s.Text
		return s.Text != joined
	})},
	{"no spans", "without a span", "span.missing", func(r *dataset.Record) bool {
		some := len(r.Data.Spans) > 0
		r.Data.Spans, r.Data.Labels = nil, slices.Repeat([]string{"O"}, len(r.Data.Tokens))
		return some
	}},
	{"spans under simple", "under the prompt simple", "span.simple", spanEdit(func(r *dataset.Record, _ *dataset.Span) bool { r.Prompt = "simple"; return true })},
	{"span type", "type TRIGGER", "span.type", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { s.Type = "TRIGGER"; return true })},
	{"subtype in lower case", "subtype", "emotion.subtype_case", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { s.Subtype = strings.ToLower(s.Subtype); return true })},
	{"subtype unknown", "subtype", "emotion.subtype_unknown", spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { s.Subtype = "Bliss"; return true })},
	{"subtype not predicted", "subtype", "emotion.subtype_not_predicted", spanEdit(func(r *dataset.Record, s *dataset.Span) bool {
		r.Predictions = []string{"pride"}
		return s.Subtype != "Pride"
	})},
	{"valence", "valence 'good'", "vocab.valence", attrEdit(func(a *dataset.Attrs) { a.Valence = "good" })},
	{"intensity", "intensity 'HIGH'", "vocab.intensity", attrEdit(func(a *dataset.Attrs) { a.Intensity = "HIGH" })},
	{"certainty", "certainty ''", "vocab.certainty", attrEdit(func(a *dataset.Attrs) { a.Certainty = "" })},
	{"temporality", "temporality 'now'", "vocab.temporality", attrEdit(func(a *dataset.Attrs) { a.Temporality = "now" })},
	{"source", "source 'me'", "vocab.source", attrEdit(func(a *dataset.Attrs) { a.Source = "me" })},
	{"emotion group", "emotion_group 'joy'", "vocab.emotion_group", attrEdit(func(a *dataset.Attrs) { a.EmotionGroup = "joy" })},
	{"relation", "target_relation 'of'", "vocab.target_relation", attrEdit(func(a *dataset.Attrs) { a.TargetText, a.TargetRelation = "you", "of" })},
	{"sentence below 0", "sentence_index -1", "vocab.index", attrEdit(func(a *dataset.Attrs) { a.SentenceIndex = -1 })},
	{"clause beyond the tokens", "clause_index 9999", "vocab.index", attrEdit(func(a *dataset.Attrs) { a.ClauseIndex = 9999 })},
	{"confidence above 1", "confidence 1.2", "confidence.range", attrEdit(func(a *dataset.Attrs) { a.Confidence = 1.2 })},
	{"confidence in percent", "confidence 91", "confidence.percent", attrEdit(func(a *dataset.Attrs) { a.Confidence = 91 })},
	{"confidence below 0", "confidence -0.1", "confidence.range", attrEdit(func(a *dataset.Attrs) { a.Confidence = -0.1 })},
	{"target without relation", "target 'you', relation none", "target.relation", attrEdit(func(a *dataset.Attrs) { a.TargetText, a.TargetRelation = "you", "none" })},
	{"relation without target", "target '', relation cause", "target.relation", attrEdit(func(a *dataset.Attrs) { a.TargetText, a.TargetRelation = "", "cause" })},
	{"target of another text", "neither", "target.text", attrEdit(func(a *dataset.Attrs) { a.TargetText, a.TargetRelation = "zebra", "cause" })},
	{"target cut inside a token", "neither", "target.text", spanEdit(func(r *dataset.Record, s *dataset.Span) bool {
		first := []rune(r.Data.Tokens[0])
		s.Attrs.TargetText, s.Attrs.TargetRelation = string(first[:len(first)-1]), "target"
		return len(first) > 4 // no pronoun of this length starts a longer word here
	})},
}

// lineEdits break what a dataset.Record cannot: keys, types and JSON itself.
var lineEdits = []struct{ name, card, program, old, new string }{
	{"attribute missing", "attrs has the keys", "schema.missing_key", `"intensity":"[a-z]+",`, ``},
	{"attribute added", "attrs has the keys", "schema.unknown_key", `"valence":`, `"arousal":"low","valence":`},
	{"span without an end", "has the keys", "schema.missing_key", `"end":\d+,`, ``},
	{"key missing", "/ has the keys", "schema.missing_key", `"provider":"[^"]*",`, ``},
	{"key added", "/ has the keys", "schema.unknown_key", `"level":`, `"lang":"en","level":`},
	{"key twice", "a key twice", "schema.duplicate_key", `"level":`, `"level":"level2","level":`},
	{"start a string", "start is '", "schema.type", `"start":(\d+)`, `"start":"$1"`},
	{"end a float", "end is ", "schema.type", `"end":(\d+)`, `"end":$1.0`},
	{"index a boolean", "clause_index is True", "schema.type", `"clause_index":\d+`, `"clause_index":true`},
	{"confidence a string", "confidence is '", "schema.type", `"confidence":([\d.]+)`, `"confidence":"$1"`},
	{"target null", "target_text is None", "schema.type", `"target_text":"[^"]*"`, `"target_text":null`},
	{"predictions a string", "predictions is not a list", "schema.type", `"predictions":\["([a-z]+)"\]`, `"predictions":"$1"`},
	{"not a number", "NaN is not JSON", "schema.syntax", `"confidence":[\d.]+`, `"confidence":NaN`},
	{"line cut", "not a line of JSON", "schema.syntax", `\]\}\}$`, `]}`},
	{"two records on a line", "not a line of JSON", "schema.syntax", `$`, `{}`},
}

func replace(list []string, old, new string) bool {
	i := slices.Index(list, old)
	if i >= 0 {
		list[i] = new
	}
	return i >= 0
}

// spanEdit makes an edit of the record's last span.
func spanEdit(edit func(*dataset.Record, *dataset.Span) bool) func(*dataset.Record) bool {
	return func(r *dataset.Record) bool {
		return len(r.Data.Spans) > 0 && edit(r, &r.Data.Spans[len(r.Data.Spans)-1])
	}
}

func attrEdit(edit func(*dataset.Attrs)) func(*dataset.Record) bool {
	return spanEdit(func(_ *dataset.Record, s *dataset.Span) bool { edit(&s.Attrs); return true })
}

// broken are the records of an output, broken in every way there is.
func broken(t *testing.T, source []byte) (lines []string) {
	for _, m := range mutations {
		for i, r := range records(t, source) {
			r.SrcID = fmt.Sprintf("%s %d", m.name, i)
			if !m.edit(r) {
				continue
			}
			line, err := r.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
	}
	for _, e := range lineEdits {
		for i, r := range records(t, source) {
			r.SrcID = fmt.Sprintf("%s %d", e.name, i)
			line, err := r.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, regexp.MustCompile(e.old).ReplaceAllString(string(line), e.new))
		}
	}
	return lines
}

// TestFixed mends broken records: what comes out passes both checks, and mending it again changes no byte.
func TestFixed(t *testing.T) {
	dir := t.TempDir()
	in := writeLines(t, broken(t, append(slices.Clip(defaultTagging(t).output), cardRecord+"\n"...))...)
	fixed, again, rejects := filepath.Join(dir, "fixed.jsonl"), filepath.Join(dir, "again.jsonl"), filepath.Join(dir, "rejects.jsonl")
	if output, code := combined(t, exec.Command("emospan", "validate", "--fix", "-q", in, "-o", fixed, "--rejects", rejects)); code != 1 {
		t.Fatalf("exit code %d\n%s", code, output)
	}
	sameForAnyCores(t, dir, in)
	card, program := checkers(t, fixed)
	if len(card)+len(program) > 0 {
		t.Errorf("check_card.py: %q\nemospan validate: %q", card, program)
	}
	if output, code := combined(t, exec.Command("emospan", "validate", "--fix", fixed, "-o", again)); code != 0 || !strings.Contains(output, "\n0 records fixed by 0 changes\n") {
		t.Errorf("exit code %d\n%s", code, output)
	}
	count := func(path string) int { return len(regexp.MustCompile("\n").FindAllString(mustRead(t, path), -1)) }
	if mustRead(t, again) != mustRead(t, fixed) {
		t.Error("mended again, it is another file")
	}
	if n, all := count(fixed), count(in); n < all/5 || n+count(rejects) != all {
		t.Errorf("%d of %d records mended, %d rejected", n, all, count(rejects))
	}
}

// sameForAnyCores holds everything that is written and said of a file to be the same on one core and on several.
func sameForAnyCores(t *testing.T, dir, in string) {
	t.Helper()
	var want [4]string
	for _, cores := range []string{"1", "2", "7"} {
		out, rejects, changes := filepath.Join(dir, "out"+cores), filepath.Join(dir, "rejects"+cores), filepath.Join(dir, "changes"+cores)
		cmd := exec.Command("emospan", "validate", "--fix", in, "-o", out, "--rejects", rejects, "--changes", changes)
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+cores)
		output, _ := combined(t, cmd)
		got := [4]string{strings.ReplaceAll(output, rejects, "REJECTS"), mustRead(t, out), mustRead(t, rejects), mustRead(t, changes)}
		if cores == "1" {
			want = got
		}
		for i, what := range []string{"output", "records", "rejects", "changes"} {
			if got[i] != want[i] || len(want[i]) < 1000 {
				t.Errorf("on %s cores: other %s, %d bytes", cores, what, len(got[i]))
			}
		}
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestChecksAgree breaks every tagged record in every way it can be broken: both checks must say so, each in its words.
func TestChecksAgree(t *testing.T) {
	run := defaultTagging(t)
	source := append(slices.Clip(run.output), cardRecord+"\n"...)
	type fault struct{ name, card, program string }
	var wants []fault
	var lines []string
	add := func(line, name, card, program string) {
		lines = append(lines, line)
		wants = append(wants, fault{name, card, program})
	}
	count := map[string]int{}
	for _, m := range mutations {
		for _, r := range records(t, source) {
			r.SrcID = fmt.Sprintf("%s %d", m.name, count[m.name])
			if !m.edit(r) {
				continue
			}
			line, err := r.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			count[m.name]++
			add(string(line), m.name, m.card, m.program)
		}
	}
	for _, e := range lineEdits {
		pattern := regexp.MustCompile(e.old)
		for _, r := range records(t, source) {
			r.SrcID = fmt.Sprintf("%s %d", e.name, count[e.name])
			line, err := r.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			if !pattern.Match(line) {
				continue
			}
			count[e.name]++
			add(pattern.ReplaceAllString(string(line), e.new), e.name, e.card, e.program)
		}
	}
	add(cardRecord, "the card's record", "", "")
	add(cardRecord, "a record twice", "an earlier record's", "schema.duplicate_id")
	for _, m := range mutations {
		if count[m.name] == 0 {
			t.Errorf("%s: no record to break so", m.name)
		}
	}
	for _, e := range lineEdits {
		if count[e.name] == 0 {
			t.Errorf("%s: no record to break so", e.name)
		}
	}

	card, program := checkers(t, writeLines(t, lines...))
	for i, want := range wants {
		number := fmt.Sprint(i + 1)
		for _, side := range []struct {
			check, want string
			got         []string
		}{{"check_card.py", want.card, card[number]}, {"emospan validate", regexp.QuoteMeta(want.program), program[number]}} {
			found := slices.ContainsFunc(side.got, func(fault string) bool { return regexp.MustCompile(side.want).MatchString(fault) })
			if found != (want.card != "") {
				t.Errorf("%s: %s says %q, want %q\n%s", want.name, side.check, side.got, side.want, lines[i])
			}
		}
	}
}
