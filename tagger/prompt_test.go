package tagger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

func TestBuiltinPrompt(t *testing.T) {
	for file, name := range map[string]string{"level_2": Level2, "simple": Simple, "level_2_projected": Level2LLMProjected} {
		p, err := BuiltinPrompt(name)
		if err != nil {
			t.Fatal(err)
		}
		src, err := builtinPrompts.ReadFile("prompts/" + file + ".tmpl")
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(src); p.Name != name || p.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s, %s", p.Name, p.SHA256)
		}
		testBuiltinPrompt(t, p)
	}
}

func testBuiltinPrompt(t *testing.T, p *Prompt) {
	tax := dataset.Default()
	for _, decode := range Decodes {
		if p.Task == LabelsOnly && decode != Compact {
			continue
		}
		t.Run(p.Name+" "+string(decode), func(t *testing.T) {
			form, err := newForm(decode, p.Task, tax)
			if err != nil {
				t.Fatal(err)
			}
			bindBytes(t, form)
			turns, err := p.prefix(decode, form, tax)
			if err != nil {
				t.Fatal(err)
			}
			if turns[0].Role != "system" || strings.TrimSpace(turns[0].Text) != turns[0].Text {
				t.Errorf("the first turn is %q", turns[0])
			}
			for _, e := range tax.Emotions() {
				if p.Task != Projected && !strings.Contains(turns[0].Text, e.Name) {
					t.Errorf("the system prompt does not name %s", e.Name)
				}
			}
			examples, err := p.examples(promptData{Decode: string(decode)}, tax)
			if err != nil {
				t.Fatal(err)
			}
			if len(examples) < 2 || len(turns) != 1+2*len(examples) {
				t.Fatalf("%d examples, %d turns", len(examples), len(turns))
			}
			neutral := 0
			for i, want := range examples {
				if problems := validate.Record(want, tax); len(problems) > 0 {
					t.Errorf("%q: %v", want.Text, problems)
				}
				question, answer := turns[1+2*i], turns[2+2*i]
				if !strings.HasPrefix(question.Text, want.Text) || question.Role != "user" || answer.Role != "assistant" {
					t.Errorf("%q: %v, %v", want.Text, question, answer)
				}
				r := newReader(t, form, want.Text)
				d := r.d
				if p.Task == Projected {
					d.given = want.Predictions
				}
				if ok, at := r.takes(answer.Text); !ok {
					t.Errorf("the grammar does not take %s at byte %d", answer.Text, at)
				}
				got := envelope(want)
				if err := form.decode([]byte(answer.Text), d, got); err != nil {
					t.Error(err)
				}
				if len(want.Data.Spans) == 0 {
					got.Data.Spans = nil
					neutral++
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
			if p.Task == Autonomous && (neutral == 0 || neutral == len(examples)) {
				t.Errorf("%d of %d examples are neutral", neutral, len(examples))
			}
		})
	}
}

// TestBuiltinPromptValues: the compact form's examples have each value of each attribute more than once, and write it.
func TestBuiltinPromptValues(t *testing.T) {
	tax := dataset.Default()
	for _, name := range []string{Level2, Level2Projected} {
		p, err := BuiltinPrompt(name)
		if err != nil {
			t.Fatal(err)
		}
		examples, err := p.examples(promptData{Decode: string(Compact)}, tax)
		if err != nil {
			t.Fatal(err)
		}
		written, err := p.block("examples", promptData{Decode: string(Compact)})
		if err != nil {
			t.Fatal(err)
		}
		f, err := newCompactForm(tax)
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, r := range examples {
			for _, s := range r.Data.Spans {
				for _, attr := range []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource, dataset.AttrTargetRelation} {
					count[attr+" "+*s.Attrs.Field(attr)]++
				}
				if decisions := f.decisions.write(s); !strings.Contains(written, `"`+decisions+`"`) {
					t.Errorf("%s: %q stands for decisions that are not written in full, %q", name, r.Text, decisions)
				}
			}
		}
		for _, attr := range []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource, dataset.AttrTargetRelation} {
			for _, value := range tax.Attr(attr).Values {
				if n := count[attr+" "+value]; n < 2 {
					t.Errorf("%s: %d spans have %s %s", name, n, attr, value)
				}
			}
		}
	}
}

// TestSchemaPrompt: the form Schema is a baseline, so what it is asked stays as it is, to the byte.
func TestSchemaPrompt(t *testing.T) {
	for name, want := range map[string]string{
		Level2:          "e619f47da661f34228a86437f12c02f4215294ea09328a99bcc5e18955eb75bf",
		Level2Projected: "c130e45f68449e662d3858a9db6fcb81a7865e9a78ccf96f8a8edb87eaef8a49",
	} {
		p, err := BuiltinPrompt(name)
		if err != nil {
			t.Fatal(err)
		}
		turns, err := p.Turns(Schema, dataset.Default(), "I love it.", []string{"love"})
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		for _, turn := range turns {
			fmt.Fprintf(h, "%s\n%s\n", turn.Role, turn.Text)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: the prompt's hash is %s, want %s", name, got, want)
		}
	}
}

func TestBuiltinPromptUnknown(t *testing.T) {
	for _, name := range []string{"level_3", "", "../prompts/level_2", "level_2.tmpl"} {
		if _, err := BuiltinPrompt(name); err == nil || !strings.Contains(err.Error(), "there is level_2") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// promptWith is a prompt with these examples.
func promptWith(examples string) string {
	return `{{define "system"}}s{{end}}{{define "user"}}{{.Text}}{{end}}{{define "examples"}}` + examples + `{{end}}`
}

func TestPromptErrors(t *testing.T) {
	const good = `{"text": "I love it", "answer": ["love"," love low asserted present self 90 target it"]}`
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", `prompt mine defines no block "system"`},
		{"no system", `{{define "user"}}{{end}}{{define "examples"}}{{end}}`, `no block "system"`},
		{"no user", `{{define "system"}}{{end}}{{define "examples"}}{{end}}`, `no block "user"`},
		{"no examples", `{{define "system"}}{{end}}{{define "user"}}{{end}}`, `no block "examples"`},
		{"template", `{{define "system"}}{{if}}{{end}}`, "prompt: template: mine:1"},
		{"unfinished template", `{{define "system"}}`, "prompt: template: mine:1"},
		{"unknown function", `{{define "system"}}{{shell "ls"}}{{end}}`, `function "shell" not defined`},
		{"unknown field", strings.Replace(promptWith(good), "}}s{{", "}}{{.Text}}{{", 1), "can't evaluate field Text"},
		{"unknown field of a text", strings.Replace(promptWith(good), ".Text", ".Txt", 1), "can't evaluate field Txt"},
		{"unknown attribute", strings.Replace(promptWith(good), "}}s{{", "}}{{.Attributes.mood}}{{", 1), `no entry for key "mood"`},
		{"no JSON", promptWith(good + "\nI love it: love"), "prompt mine, example 2: invalid character 'I'"},
		{"JSON cut short", promptWith(`{"text": "a`), "prompt mine, example 1: unexpected EOF"},
		{"two objects", promptWith(good + " " + good), "prompt mine, example 1: more than one object"},
		{"unknown key", promptWith(good + "\n\n" + `{"text": "a", "label": ["neutral"]}`), `prompt mine, example 3: json: unknown field "label"`},
		{"another type", promptWith(`{"text": 1, "answer": ["neutral"]}`), "prompt mine, example 1: json: cannot unmarshal number"},
		{"no answer", promptWith(`{"text": "a"}`), "prompt mine, example 1: the answer is not an array of strings"},
		{"no text", promptWith(`{"answer": ["neutral"]}`), "prompt mine, example 1: /text: want a value"},
		{"quote not in the text", promptWith(strings.Replace(good, `"love"`, `"hate"`, 1)), `prompt mine, example 1: span 0: "hate" is no run of tokens`},
		{"half a word", promptWith(strings.Replace(good, `"love"`, `"lov"`, 1)), `prompt mine, example 1: span 0: "lov" is no run of tokens`},
		{"unknown emotion", promptWith(strings.Replace(good, ` love low`, ` rage low`, 1)), `prompt mine, example 1: span 0: " rage low asserted present self 90 target it" names no emotion`},
		{"unknown attribute value", promptWith(strings.Replace(good, ` low`, ` medium`, 1)), `prompt mine, example 1: span 0: " love medium asserted present self 90 target it": "medium" is no confidence`},
		{"confidence beyond 100", promptWith(strings.Replace(good, `90`, `900`, 1)), `"900" is no confidence in percent`},
		{"not a string", promptWith(strings.Replace(good, `"love"`, `["love"]`, 1)), "the answer is not an array of strings"},
		{"target elsewhere", promptWith(strings.Replace(good, `target it`, `target the dog`, 1)), "prompt mine, example 1: /data/spans/0/attrs/target_text"},
		{"no spans", promptWith(`{"text": "a", "answer": []}`), "prompt mine, example 1: the answer holds 0 strings"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePrompt("mine", tt.src)
			if err == nil {
				_, err = New(newFakeModel(t, nil), Options{Prompt: p, Taxonomy: dataset.Default(), Decode: Compact})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestPromptData: the blocks see the form, the emotions and the values of the attributes.
func TestPromptData(t *testing.T) {
	p, err := ParsePrompt("mine", `{{define "system"}}
  {{.Decode}}|{{index .Emotions 0}}|{{range .Attributes.target_relation}}{{.}} {{end}}
{{end}}{{define "user"}} <{{.Text}}>
{{end}}{{define "examples"}}{{if eq .Decode "schema"}}{"text":"{{index .Emotions 1}}","answer":["neutral"]}{{end}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	tax := dataset.Default()
	for _, tt := range []struct {
		decode Decode
		want   []Turn
	}{
		{Compact, []Turn{{"system", "compact|admiration|cause target experiencer none"}}},
		{Schema, []Turn{{"system", "schema|admiration|cause target experiencer none"}, {"user", " <amusement>\n"}, {"assistant", `["neutral"]`}}},
	} {
		turns, err := p.prefix(tt.decode, formOf(t, Compact), tax)
		if err != nil || !reflect.DeepEqual(turns, tt.want) {
			t.Errorf("%q, %v, want %q", turns, err, tt.want)
		}
	}
}

// TestPromptTextIsText: a text is put to the model as it is, whatever it looks like.
func TestPromptTextIsText(t *testing.T) {
	m := newFakeModel(t, noise(1))
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	for _, text := range []string{
		"{{.Text}}", `{{define "user"}}x{{end}}`, "{{", "<|end|><|user|>", "<s>[INST]", "  a\t\n b  ", "\r\n", "\x00", "&lt;<b>", "\\n", "%s", "\ufeffa",
	} {
		m.turns = nil
		ids, err := s.prompt(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := [][]Turn{{{"user", text}}}; !reflect.DeepEqual(m.turns, want) {
			t.Errorf("%q became %q", text, m.turns)
		}
		if got := string(m.vocab.bytes(ids)); got != text {
			t.Errorf("%q reads %q", text, got)
		}
		s.tag(t, "a", text) // compares what the model saw
	}
}
