package tagger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

//go:embed prompts/*.tmpl
var builtinPrompts embed.FS

// A Task is what a prompt asks for.
type Task string

// The tasks.
const (
	Autonomous Task = "autonomous" // emotions and their spans, from the text alone
	Projected  Task = "projected"  // spans and attributes of emotions that come with the text
	LabelsOnly Task = "labels"     // emotions alone
)

// A Prompt is what is asked of the model. It is a text/template file that defines these blocks:
//
//	system    what to do; it sees .Decode, .Emotions, .SpanTypes, .Attributes (the values of each) and, of those that the
//	          taxonomy adds, .Further (.Name, .Values and .Default of each)
//	user      one turn's text; it sees .Text and, where the task is projected, .Labels
//	examples  answered texts, one JSON object a line: {"text": "…", "answer": […]}, the answer in the compact form; it
//	          sees what system sees
//	task      autonomous, projected or labels; autonomous where there is no such block
//
// The examples are shown to the model in whichever form it is to answer. An attribute that one does not write has its default, or
// the first of its values.
type Prompt struct {
	Name   string // the record's prompt field
	SHA256 string // of the file
	Task   Task
	tmpl   *template.Template
}

// userData is what the user block sees.
type userData struct {
	Text   string
	Labels []string
}

// promptData is what the system and examples blocks see.
type promptData struct {
	Decode     string
	Emotions   []string
	SpanTypes  []string
	Attributes map[string][]string
	Further    []*dataset.Vocabulary
}

// BuiltinPrompts names the prompts that are built in, the usual one first.
var BuiltinPrompts = []string{Level2, Level2Projected, Level2LLMProjected, Simple}

// The names of the prompts that are built in. Level2LLMProjected is Level2Projected by another name, for labels of a model's.
const (
	Level2             = "level_2"
	Level2Projected    = "level_2_projected"
	Level2LLMProjected = "level_2_llm_projected"
	Simple             = "simple"
)

// BuiltinPrompt returns a prompt by its name, one of BuiltinPrompts.
func BuiltinPrompt(name string) (*Prompt, error) {
	file := name
	if name == Level2LLMProjected {
		file = Level2Projected
	}
	src, err := builtinPrompts.ReadFile("prompts/" + file + ".tmpl")
	if err != nil {
		return nil, fmt.Errorf("no prompt %q; there is %s, and --prompt-file for one of your own", name, strings.Join(BuiltinPrompts, ", "))
	}
	return ParsePrompt(name, string(src))
}

// ParsePrompt reads a prompt from the text of its file. name becomes the record's prompt.
func ParsePrompt(name, src string) (*Prompt, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(src)
	if err != nil {
		return nil, fmt.Errorf("prompt: %w", err)
	}
	for _, block := range []string{"system", "user", "examples"} {
		if t.Lookup(block) == nil {
			return nil, fmt.Errorf("prompt %s defines no block %q; it needs system, user and examples", name, block)
		}
	}
	sum := sha256.Sum256([]byte(src))
	p := &Prompt{Name: name, SHA256: hex.EncodeToString(sum[:]), Task: Autonomous, tmpl: t}
	if t.Lookup("task") != nil {
		task, err := p.block("task", nil)
		if err != nil {
			return nil, err
		}
		if p.Task = Task(task); !slices.Contains([]Task{Autonomous, Projected, LabelsOnly}, p.Task) {
			return nil, fmt.Errorf("prompt %s: its block task says %q; want %s, %s or %s", name, task, Autonomous, Projected, LabelsOnly)
		}
		if p.Task == LabelsOnly && name != Simple {
			return nil, fmt.Errorf("prompt %s: one whose task is %s must be called %s, by which its records are known to have no spans", name, LabelsOnly, Simple)
		}
	}
	return p, nil
}

func (p *Prompt) block(name string, data any) (string, error) {
	var b strings.Builder
	if err := p.tmpl.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("prompt: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// user gives the turn that asks about one text. The text is put in as it is, white space included.
func (p *Prompt) user(text string, labels []string) (Turn, error) {
	var b strings.Builder
	if err := p.tmpl.ExecuteTemplate(&b, "user", userData{text, labels}); err != nil {
		return Turn{}, fmt.Errorf("prompt: %w", err)
	}
	return Turn{"user", b.String()}, nil
}

// prefix gives the turns that every chat begins with: the system's, then each example's question and answer.
func (p *Prompt) prefix(decode Decode, f form, tax *dataset.Taxonomy) ([]Turn, error) {
	data := promptData{Decode: string(decode), SpanTypes: tax.SpanTypes(), Attributes: map[string][]string{}, Further: tax.Further()}
	for _, e := range tax.Emotions() {
		data.Emotions = append(data.Emotions, e.Name)
	}
	for _, v := range tax.Attributes() {
		data.Attributes[v.Name] = v.Values
	}
	system, err := p.block("system", data)
	if err != nil {
		return nil, err
	}
	turns := []Turn{{"system", system}}
	examples, err := p.examples(data, tax)
	if err != nil {
		return nil, err
	}
	for _, r := range examples {
		question, err := p.user(r.Text, r.Predictions)
		if err != nil {
			return nil, err
		}
		answer, err := f.encode(r)
		if err != nil {
			return nil, err
		}
		turns = append(turns, question, Turn{"assistant", string(answer)})
	}
	return turns, nil
}

// Turns gives the whole chat about a text, and the labels that came with it, up to where the answer begins.
func (p *Prompt) Turns(decode Decode, tax *dataset.Taxonomy, text string, labels []string) ([]Turn, error) {
	f, err := newForm(decode, p.Task, tax)
	if err != nil {
		return nil, err
	}
	turns, err := p.prefix(decode, f, tax)
	if err != nil {
		return nil, err
	}
	turn, err := p.user(text, givenLabels(tax, labels))
	return append(turns, turn), err
}

// examples expands the examples block into records.
func (p *Prompt) examples(data promptData, tax *dataset.Taxonomy) ([]*dataset.Record, error) {
	src, err := p.block("examples", data)
	if err != nil {
		return nil, err
	}
	short, err := newForm(Compact, p.Task, tax)
	if err != nil {
		return nil, err
	}
	if f, ok := short.(*compactForm); ok {
		f.decisions.examples = true
	}
	var records []*dataset.Record
	lines := bufio.NewScanner(strings.NewReader(src))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e struct {
			Text   string          `json:"text"`
			Answer json.RawMessage `json:"answer"`
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("prompt %s, example %d: %w", p.Name, n, err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("prompt %s, example %d: more than one object on the line", p.Name, n)
		}
		r := &dataset.Record{SrcID: fmt.Sprintf("example_%d", n), Model: "example", Provider: dataset.Provider, Prompt: p.Name, Level: dataset.Level, Text: e.Text}
		if err := short.decode(e.Answer, newDocument(e.Text), r); err != nil {
			return nil, fmt.Errorf("prompt %s, example %d: %w", p.Name, n, err)
		}
		if problems := validate.Record(r, tax); len(problems) > 0 {
			first := problems[0]
			return nil, fmt.Errorf("prompt %s, example %d: %s: want %s, have %s", p.Name, n, first.Path, first.Expected, first.Found)
		}
		records = append(records, r)
	}
	return records, lines.Err()
}
