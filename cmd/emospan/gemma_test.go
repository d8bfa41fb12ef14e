package main

import (
	"strings"
	"testing"
)

// TestGemma tags with another architecture, vocabulary and chat template than the default model's.
func TestGemma(t *testing.T) {
	long(t)
	run, err := tag([]string{
		"Thank you so much, you saved my day!",
		"I hate this stupid printer.",
		"The shop opens at nine.",
		"Wow, “nobody” told me 🎉",
	}, "--model", "gemma3-270m")
	if err != nil {
		t.Fatal(err)
	}
	list := records(t, run.output)
	if len(list) == 0 || len(list)+strings.Count(string(run.rejects), "\n") != len(run.texts) {
		t.Fatalf("%d records of %d texts, rejects %s\n%s", len(list), len(run.texts), run.rejects, run.stderr)
	}
	for _, r := range list {
		if r.Model != "gemma3-270m" {
			t.Errorf("%s: model %s", r.SrcID, r.Model)
		}
	}
	if card, program := checkers(t, writeLines(t, strings.TrimSuffix(string(run.output), "\n"))); len(card)+len(program) > 0 {
		t.Errorf("check_card.py: %q\nemospan validate: %q", card, program)
	}
}
