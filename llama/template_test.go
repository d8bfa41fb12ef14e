package llama

import (
	"strings"
	"testing"
)

var chat = []Turn{{System, "Be brief."}, {User, "Hello <|eot_id|>"}, {Assistant, "Hi."}, {User, "Bye"}}

func TestRender(t *testing.T) {
	for template, want := range map[Template]string{
		Llama3: "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>" +
			"<|start_header_id|>user<|end_header_id|>\n\nHello <|eot_id|><|eot_id|>" +
			"<|start_header_id|>assistant<|end_header_id|>\n\nHi.<|eot_id|>" +
			"<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>" +
			"<|start_header_id|>assistant<|end_header_id|>\n\n",
		ChatML: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello <|eot_id|><|im_end|>\n" +
			"<|im_start|>assistant\nHi.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
		Gemma: "<start_of_turn>user\nBe brief.\n\nHello <|eot_id|><end_of_turn>\n<start_of_turn>model\nHi.<end_of_turn>\n" +
			"<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
	} {
		var got, plain strings.Builder
		for _, p := range template.Render(chat, true) {
			got.WriteString(p.Text)
			if !p.Marker {
				plain.WriteString(p.Text + "|")
			}
		}
		if got.String() != want {
			t.Errorf("%v:\n got %q\nwant %q", template, got.String(), want)
		}
		if !strings.Contains(plain.String(), "Hello <|eot_id|>|") {
			t.Errorf("%v: the user's text is not a part of its own: %q", template, plain.String())
		}
	}
}

// Rendering in two steps, as a shared prefix and a record are, gives what one step gives.
func TestRenderIsAssociative(t *testing.T) {
	join := func(parts []Part) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p.Text)
		}
		return b.String()
	}
	for _, template := range []Template{Llama3, ChatML, Gemma} {
		whole := join(template.Render(chat, true))
		if split := join(template.Render(chat[:3], false)) + join(template.Render(chat[3:], true)); split != whole {
			t.Errorf("%v: %q in two steps, %q in one", template, split, whole)
		}
	}
}

func TestDetectTemplate(t *testing.T) {
	for jinja, want := range map[string]Template{
		"{{ '<|start_header_id|>' + role + '<|end_header_id|>' }}{{ '<|eot_id|>' }}": Llama3,
		"{{'<|im_start|>' + message['role']}}":                                       ChatML,
		"{{ '<start_of_turn>' + role }}":                                             Gemma,
		"[INST] {{ prompt }} [/INST]":                                                NoTemplate,
		"":                                                                           NoTemplate,
	} {
		if got := DetectTemplate(jinja); got != want {
			t.Errorf("%q is taken for %v, want %v", jinja, got, want)
		}
	}
	for _, want := range []Template{Llama3, ChatML, Gemma} {
		if got, err := ParseTemplate(want.String()); err != nil || got != want {
			t.Errorf("%v by its name: %v, %v", want, got, err)
		}
	}
	if _, err := ParseTemplate("none"); err == nil {
		t.Error("there is a template called none")
	}
}
