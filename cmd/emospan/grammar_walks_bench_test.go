package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/tagger"
)

var walksOut = flag.String("walks.out", "", "file that BenchmarkGrammarWalks writes its vocabulary, walks and times to, for scripts/bench_masks.py")

// A maskWalk is a text that a grammar allows, token by token, with what each mask before a token took.
type maskWalk struct {
	Set    string          `json:"set"` // json.gbnf, schema form or schemas
	Name   string          `json:"name"`
	GBNF   string          `json:"gbnf"`
	Schema json.RawMessage `json:"schema,omitempty"` // that the grammar comes from
	Tokens []int32         `json:"tokens"`
	Times  []int64         `json:"times"` // nanoseconds, the shortest of three walks
	New    []bool          `json:"new"`   // the mask was none that the walk had seen before

	text string
}

// BenchmarkGrammarWalks follows whole JSON texts through llama.cpp's json.gbnf, the schema form and the schemas of
// grammar/testdata/schemas, token by token as Llama 3 splits them, each with a constraint that knows nothing, and reports how long
// new masks took.
func BenchmarkGrammarWalks(b *testing.B) {
	model, v := llama3(b)
	walks := slices.Concat(jsonWalks(b), schemaFormWalks(b, v), schemaWalks(b))
	for b.Loop() {
		for i := range walks {
			w := &walks[i]
			ids, err := model.Tokenize(w.text, false)
			if err != nil {
				b.Fatal(err)
			}
			w.Tokens, w.Times = ids, nil
			g, err := grammar.Compile(w.GBNF)
			if err != nil {
				b.Fatalf("%s: %v", w.Name, err)
			}
			for range 3 {
				w.follow(b, g, v)
			}
		}
	}
	for _, set := range []string{"json.gbnf", "schema form", "schemas"} {
		var times []time.Duration
		var sum time.Duration
		for _, w := range walks {
			for i, t := range w.Times {
				if w.Set == set && w.New[i] {
					times = append(times, time.Duration(t))
					sum += time.Duration(t)
				}
			}
		}
		b.Run(set, func(b *testing.B) {
			b.ReportMetric(float64(len(times)), "masks")
			b.ReportMetric(float64(sum.Nanoseconds())/1e3/float64(len(times)), "mean-µs")
			reportTimes(b, times)
		})
	}
	if *walksOut != "" {
		pieces, eog := piecesOf(model)
		start := time.Now()
		if _, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog}); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start).Seconds() * 1e3
		data, err := json.Marshal(map[string]any{"pieces": pieces, "eog": eog, "walks": walks, "vocab_ms": took})
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(*walksOut, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
}

// follow walks once and keeps the shortest times.
func (w *maskWalk) follow(b *testing.B, g *grammar.Grammar, v *grammar.Vocab) {
	c, err := grammar.NewConstraint(g, v)
	if err != nil {
		b.Fatal(err)
	}
	seen := map[*uint64]bool{} // a mask that is known is shared
	m := c.NewMatcher()
	first := w.Times == nil
	for i, id := range w.Tokens {
		start := time.Now()
		mask, err := m.Mask()
		took := time.Since(start).Nanoseconds()
		if err != nil {
			b.Fatalf("%s: %v", w.Name, err)
		}
		if first {
			w.Times, w.New = append(w.Times, took), append(w.New, !seen[&mask[0]])
		}
		w.Times[i] = min(w.Times[i], took)
		seen[&mask[0]] = true
		if err := m.AcceptToken(id); err != nil {
			b.Fatalf("%s: %v", w.Name, err)
		}
	}
	if !m.Done() {
		b.Fatalf("%s: the text is not complete", w.Name)
	}
}

func jsonWalks(b *testing.B) (walks []maskWalk) {
	src := llamaGrammars(b)["json"]
	for _, text := range []string{
		`{"place": "Łódź", "open": true, "rooms": [12, 3.5e2, null], "note": "quiet, \"almost\" empty"}`,
		"{\n  \"harvest\": {\"barley\": 4120, \"oats\": -0.25},\n  \"remarks\": [\"rain in week 31\\nand again in 33\", \"\", \"風が強い\"]\n}",
		`{"": {"deep": {"deeper": {"deepest": [[[]], {}, "end of it"]}}}, "again": false}`,
	} {
		walks = append(walks, maskWalk{Set: "json.gbnf", Name: "json.gbnf", GBNF: src, text: text})
	}
	return walks
}

// schemaFormWalks are answers whose strings are written here and whose rest is the shortest there is.
func schemaFormWalks(b *testing.B, v *grammar.Vocab) (walks []maskWalk) {
	stages, err := tagger.Stages(tagger.Schema, tagger.Autonomous, dataset.Default(), "It is over.")
	if err != nil {
		b.Fatal(err)
	}
	src := stages[0].GBNF()
	for _, words := range [][]string{
		{"I", "can't", "believe", "she", "kept", "the", "letters", "all", "these", "years", "!"},
		{"Naïve", "?", "Perhaps", ";", "but", "“", "kind", "”", "🙂", "nonetheless", "C:\\temp"},
	} {
		quoted, err := json.Marshal(words)
		if err != nil {
			b.Fatal(err)
		}
		labels := strings.Repeat(`"O",`, len(words)-1) + `"O"`
		text := fmt.Sprintf(`{"predictions":["gratitude","joy"],"data":{"tokens":%s,"labels":[%s],"spans":[{"type":"`, quoted, labels)
		m := newMatcher(b, src, v)
		if err := m.AcceptBytes([]byte(text)); err != nil {
			b.Fatal(err)
		}
		rest, ok, err := m.Shortest()
		if err != nil || !ok {
			b.Fatalf("no end: %v", err)
		}
		walks = append(walks, maskWalk{Set: "schema form", Name: "schema form", GBNF: src, text: text + string(rest)})
	}
	return walks
}

func schemaWalks(b *testing.B) (walks []maskWalk) {
	files, err := filepath.Glob(filepath.Join(root, "grammar", "testdata", "schemas", "mask-*.json"))
	if err != nil || len(files) < 10 {
		b.Fatalf("%d schemas, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		var bench struct {
			Schema json.RawMessage
			Tests  []struct{ Data json.RawMessage }
		}
		if err := json.Unmarshal(data, &bench); err != nil {
			b.Fatalf("%s: %v", file, err)
		}
		src, err := grammar.FromJSONSchema(bench.Schema)
		if err != nil {
			b.Fatalf("%s: %v", file, err)
		}
		for _, test := range bench.Tests {
			var text bytes.Buffer
			if err := json.Compact(&text, test.Data); err != nil {
				b.Fatal(err)
			}
			walks = append(walks, maskWalk{Set: "schemas", Name: filepath.Base(file), GBNF: src, Schema: bench.Schema, text: text.String()})
		}
	}
	return walks
}
