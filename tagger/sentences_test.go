package tagger

import (
	"slices"
	"strings"
	"testing"
)

// positioned writes text's tokens with a mark before each that begins a
// sentence (‖) or a clause (|) other than the first.
func positioned(text string) string {
	tokens := Words(text)
	var b strings.Builder
	last := Position{}
	for i, p := range Positions(text, tokens) {
		switch {
		case p.Sentence != last.Sentence:
			b.WriteString("‖ ")
		case p.Clause != last.Clause:
			b.WriteString("| ")
		}
		last = p
		b.WriteString(text[tokens[i].Start:tokens[i].End] + " ")
	}
	return strings.TrimSpace(b.String())
}

func TestSentences(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"one", "Stop asking me the same question.", "Stop asking me the same question ."},
		{"no mark", "nothing to see here", "nothing to see here"},
		{"several", "Great. Now what? Go!", "Great . ‖ Now what ? ‖ Go !"},
		{"lower case", "ok. see you. bye", "ok . ‖ see you . ‖ bye"},
		{"line breaks", "one\ntwo.\r\n\nthree", "one ‖ two . ‖ three"},
		{"line break after a comma", "well,\nno", "well , ‖ no"},
		{"ellipsis", "well... fine… Okay.... Bye", "well ... fine … ‖ Okay .... ‖ Bye"},
		{"ellipsis and question", "so...? now", "so ... ? ‖ now"},
		{"forgotten space", "it broke.But how", "it broke . ‖ But how"},
		{"no space, lower case", "run main.cc now", "run main . cc now"},
		{"titles", "Mr. Lee saw Dr. Ray. He left.", "Mr. Lee saw Dr. Ray . ‖ He left ."},
		{"abbreviations", "fruit, e.g. Apples etc. Then p.m. tea", "fruit , e.g. Apples etc. ‖ Then p.m. tea"},
		{"initial", "J. Smith and I. Then us", "J . Smith and I . ‖ Then us"},
		{"list", "1. Eat. 2. Sleep.", "1 . Eat . ‖ 2 . Sleep ."},
		{"number at the end", "I have 2. You have 3.", "I have 2 . ‖ You have 3 ."},
		{"decimal", "It cost 3.50. Wow", "It cost 3.50 . ‖ Wow"},
		{"emoji after the mark", "So tired. 😴😴 Going home!🎉Bye", "So tired . 😴 😴 ‖ Going home ! 🎉 ‖ Bye"},
		{"emoticon after the mark", "Thanks! :D See you :) there", "Thanks ! :D ‖ See you :) there"},
		{"emoji on its own line", "Tired.\n😴 bye", "Tired . ‖ 😴 bye"},
		{"emoticon with dots", "hm ._. Ok", "hm ._. Ok"},
		{"keycap", "Done. 1️⃣ Next", "Done . 1️⃣ ‖ Next"},
		{"quotes", `"Go!" he said. "No." She left.`, `" Go ! " he said . ‖ " No . " ‖ She left .`},
		{"curly quotes", "“Stop.” Then ‘why?’ she asked", "“ Stop . ” ‖ Then ‘ why ? ’ she asked"},
		{"opening quote", `I asked. "why" is all`, `I asked . ‖ " why " is all`},
		{"brackets", "Fine. (Really.) Sure (right?) enough", "Fine . ‖ ( Really . ) ‖ Sure ( right ? ) enough"},
		{"mark in brackets", "He won (!) Nobody knew", "He won ( ! ) | Nobody knew"},
		{"emphasis", "**Wow!** Nice", "** Wow ! ** ‖ Nice"},
		{"mark and comma", "Oh no!, he said", "Oh no ! , | he said"},
		{"other scripts", "我很高兴。你呢？好", "我 很 高 兴 。 ‖ 你 呢 ？ ‖ 好"},
		{"Hindi", "ठीक है। चलो", "ठीक है । ‖ चलो"},
		{"German", "Ich liebe es, aber du nicht. Schade!", "Ich liebe es , aber du nicht . ‖ Schade !"},
		{"Spanish", "Te quiero, pero no puedo. ¿Vienes?", "Te quiero , pero no puedo . ‖ ¿ Vienes ?"},
		{"invisible", "Yes.\u200b No\u200b.\u200d Ok", "Yes .\u200b ‖ No\u200b .\u200d ‖ Ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := positioned(tt.text); got != tt.want {
				t.Errorf("%q\n got %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}

func TestClauses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"I like it but you don't", "I like it | but you don't"},
		{"I like it, but not today.", "I like it , | but not today ."},
		{"They are cold but safe, or so I hear", "They are cold but safe , | or so I hear"},
		{"I got up and then I fell", "I got up | and then I fell"},
		{"It is as good as it gets and for once I won", "It is as good as it gets and for once I won"},
		{"\"You'll be fine,\" she said", "\" You'll be fine , \" | she said"},
		{"He asked, \"who are you\"", "He asked , | \" who are you \""},
		{"It was nothing but noise", "It was nothing but noise"},
		{"I cried because it hurt", "I cried | because it hurt"},
		{"It is good though, in its way", "It is good though , in its way"},
		{"I cried because of you", "I cried because of you"},
		{"I stayed even though it rained", "I stayed | even though it rained"},
		{"If you go, I stay.", "If you go , | I stay ."},
		{"When the bus is late, my boss is mad", "When the bus is late , | my boss is mad"},
		{"I came home and I slept", "I came home | and I slept"},
		{"bread and butter and you.", "bread and butter and you ."},
		{"I think you and I should go", "I think you and I should go"},
		{"I was so happy, so tired", "I was so happy , so tired"},
		{"It rained so we left", "It rained | so we left"},
		{"We bought apples, pears and plums", "We bought apples , pears and plums"},
		{"Call me later; too busy", "Call me later ; | too busy"},
		{"One thing: it's over", "One thing : | it's over"},
		{"He left — nobody knows why", "He left — | nobody knows why"},
		{"My sister (she is ten) laughed a lot", "My sister | ( she is ten ) laughed a lot"},
		{"I don't know... it just works", "I don't know ... | it just works"},
		{"I came, I won. You lost, you know.", "I came , | I won . ‖ You lost , | you know ."},
		{"Wait, what?", "Wait , what ?"},
		{"Yes, I am", "Yes , I am"},
		{"Thanks a lot, [NAME] is great", "Thanks a lot , | [NAME] is great"},
		{"Well done 😀, you’re the best", "Well done 😀 , | you’re the best"},
	}
	for _, tt := range tests {
		if got := positioned(tt.text); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// checkPositions fails unless positions have the properties that [Positions]
// promises.
func checkPositions(t *testing.T, text string, tokens []Token, positions []Position) {
	t.Helper()
	if len(positions) != len(tokens) {
		t.Fatalf("%d positions of %d tokens", len(positions), len(tokens))
	}
	last := Position{Sentence: -1}
	for i, p := range positions {
		begins := p == Position{last.Sentence + 1, 0}
		continues := i > 0 && p.Sentence == last.Sentence && (p.Clause == last.Clause || p.Clause == last.Clause+1)
		if !begins && !continues {
			t.Fatalf("token %d of %q is at %v after %v", i, text, p, last)
		}
		if i > 0 && !begins && strings.Contains(text[tokens[i-1].End:tokens[i].Start], "\n") {
			t.Fatalf("token %d of %q goes on after a line break", i, text)
		}
		last = p
	}
}

// checkSentences fails unless the sentences of a text are those of its positions and leave out white space alone.
func checkSentences(t *testing.T, text string, tokens []Token, positions []Position) {
	t.Helper()
	at, i := 0, 0
	sentences := Sentences(text)
	for k, s := range sentences {
		if s.Start < at || strings.TrimSpace(text[at:s.Start]) != "" || s.Start >= s.End || strings.TrimSpace(text[s.Start:s.End]) != text[s.Start:s.End] {
			t.Fatalf("sentence %d of %q is %v, behind %d", k, text, s, at)
		}
		for ; i < len(tokens) && positions[i].Sentence == k; i++ {
			if tokens[i].Start < s.Start || tokens[i].End > s.End {
				t.Fatalf("token %d of %q, at %v, lies outside of sentence %d, %v", i, text, tokens[i], k, s)
			}
		}
		at = s.End
	}
	if i != len(tokens) || strings.TrimSpace(text[at:]) != "" {
		t.Fatalf("%d sentences of %q leave out %q", len(sentences), text, text[at:])
	}
}

func TestSentenceRanges(t *testing.T) {
	text := "  Great.\tNow “what?” 😴\n\n ok \u00a0"
	var got []string
	for _, s := range Sentences(text) {
		got = append(got, text[s.Start:s.End])
	}
	if want := []string{"Great.", "Now “what?” 😴", "ok"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, blank := range []string{"", " \n\u2003\t"} {
		if got := Sentences(blank); len(got) != 0 {
			t.Errorf("%q has the sentences %v", blank, got)
		}
	}
}

func FuzzPositions(f *testing.F) {
	for _, seed := range []string{
		"Stop asking me the same question.", "\"Why?\" she asked... I left; (it's late). 😴\nBye", "1. J. Smith etc. U.S. (!) ok",
		"If you go, I stay because the bus is late and you and I can't.", "\u200b. \xff! 。。 :) ¿", "even though but so I",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens := Words(text)
		positions := Positions(text, tokens)
		checkPositions(t, text, tokens, positions)
		checkSentences(t, text, tokens, positions)
	})
}

func TestPositionsOfHostileTexts(t *testing.T) {
	for unit, text := range hostileTexts(1 << 15) {
		t.Run(unit, func(t *testing.T) {
			tokens := Words(text)
			positions := Positions(text, tokens)
			checkPositions(t, text, tokens, positions)
			checkSentences(t, text, tokens, positions)
		})
	}
}

func BenchmarkPositions(b *testing.B) {
	for unit, text := range hostileTexts(1 << 20) {
		tokens := Words(text)
		b.Run(unit, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Positions(text, tokens)
			}
		})
	}
}
