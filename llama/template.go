package llama

import (
	"fmt"
	"strings"
)

// A Template is one of the chat formats that emospan writes itself. A GGUF's own Jinja template is never run: it is read
// only to tell which of these it is.
type Template int

// The chat templates.
const (
	NoTemplate Template = iota
	Llama3              // <|start_header_id|>role<|end_header_id|>
	ChatML              // <|im_start|>role
	Gemma               // <start_of_turn>role, without a system turn
)

var templateNames = []string{"none", "llama3", "chatml", "gemma"}

// String gives the template's name as ParseTemplate takes it.
func (t Template) String() string { return templateNames[t] }

// ParseTemplate finds a template by its name: llama3, chatml or gemma.
func ParseTemplate(name string) (Template, error) {
	for i, n := range templateNames[1:] {
		if n == name {
			return Template(i + 1), nil
		}
	}
	return NoTemplate, fmt.Errorf("no chat template %q; there are %s", name, strings.Join(templateNames[1:], ", "))
}

// DetectTemplate tells from a GGUF's Jinja text which template it is, by the markers that only that one has.
func DetectTemplate(jinja string) Template {
	switch {
	case strings.Contains(jinja, "<|start_header_id|>") && strings.Contains(jinja, "<|eot_id|>"):
		return Llama3
	case strings.Contains(jinja, "<|im_start|>"):
		return ChatML
	case strings.Contains(jinja, "<start_of_turn>"):
		return Gemma
	}
	return NoTemplate
}

// A Role says who speaks in a turn of a chat.
type Role string

// The roles.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// A Turn is one message of a chat.
type Turn struct {
	Role Role
	Text string
}

// A Part is a stretch of a rendered chat. Markers are tokenized with special parsing, the text of a turn without.
type Part struct {
	Text   string
	Marker bool
}

// Render writes turns in the template. Rendering is associative: what two lists of turns give, one after the other, is what
// their concatenation gives, except that Gemma has no system role and prefixes a system turn's text to the user turn after
// it. With answer the chat ends at the point where the assistant begins to speak.
func (t Template) Render(turns []Turn, answer bool) []Part {
	var parts []Part
	marker := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if n := len(parts); n > 0 && parts[n-1].Marker {
			parts[n-1].Text += text
			return
		}
		parts = append(parts, Part{text, true})
	}
	open := func(r Role) {
		switch t {
		case Llama3:
			marker("<|start_header_id|>%s<|end_header_id|>\n\n", r)
		case ChatML:
			marker("<|im_start|>%s\n", r)
		case Gemma:
			if r == Assistant {
				r = "model"
			}
			marker("<start_of_turn>%s\n", r)
		}
	}
	end := map[Template]string{Llama3: "<|eot_id|>", ChatML: "<|im_end|>\n", Gemma: "<end_of_turn>\n"}[t]
	var system string
	for _, turn := range turns {
		if t == Gemma && turn.Role == System {
			system += turn.Text + "\n\n"
			continue
		}
		open(turn.Role)
		parts = append(parts, Part{Text: system + turn.Text})
		system = ""
		marker("%s", end)
	}
	if answer {
		open(Assistant)
	}
	return parts
}
