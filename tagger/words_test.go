package tagger

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func wordsOf(text string) []string {
	got := []string{}
	for _, t := range Words(text) {
		got = append(got, text[t.Start:t.End])
	}
	return got
}

func TestWords(t *testing.T) {
	// The tokens wanted are given with a space between each two.
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"white space", " \t\r\n\u00a0\u202f\u3000\u2028", ""},
		{"card", "Stop asking me the same question.", "Stop asking me the same question ."},
		{"edges", "  Hi there \n", "Hi there"},
		{"unicode spaces", "a\u00a0b\u3000c\u202fd 1\u202f000", "a b c d 1 000"},

		{"contraction", "don't it’s I'M y'all'd've isn`t you´re", "don't it’s I'M y'all'd've isn`t you´re"},
		{"rock'n'roll", "rock'n'roll and rock 'n' roll", "rock'n'roll and rock 'n' roll"},
		{"possessive", "Anna's cats' tails", "Anna's cats' tails"},
		{"quoted plural", "they say 'hot dogs' here", "they say ' hot dogs ' here"},
		{"quoted word", "a ‘nice’ one", "a ‘ nice ’ one"},
		{"dropped g", "goin' nowhere, singin’ along with ol' Sam", "goin' nowhere , singin’ along with ol' Sam"},
		{"elision", "'cause ’til 'em '90s 'bout", "'cause ’til 'em '90s 'bout"},
		{"apostrophe after a digit", "the 90's, WW2’s 6'2", "the 90's , WW2’s 6'2"},
		{"not an elision", "'emblem' 'I'm'", "' emblem ' ' I'm '"},
		{"apostrophe before a letter that is not ASCII", "'été'", "' été '"},

		{"placeholder", "[NAME], [RELIGION]! ([NAME])", "[NAME] , [RELIGION] ! ( [NAME] )"},
		{"placeholder's", "[NAME]'s [NAME]’ll [NAME]' [NAME].", "[NAME]'s [NAME]’ll [NAME] ' [NAME] ."},
		{"no placeholder", "[Name] [A] [NAME [] [DELETED BY]", "[ Name ] [ A ] [ NAME [ ] [ DELETED BY ]"},

		{"hashtag", "so #blessed#happy, #été2024! # alone", "so #blessed #happy , #été2024 ! # alone"},
		{"mention", "@user_1: hi @ noon", "@user_1 : hi @ noon"},
		{"reddit", "r/aww, /r/AskThis and u/some-one or/and", "r/aww , /r/AskThis and u/some-one or / and"},
		{"url", "see https://example.com/a_(b)?c=1#d, (http://example.org) www.example.net.",
			"see https://example.com/a_(b)?c=1#d , ( http://example.org ) www.example.net ."},
		{"markdown link", "[this](https://example.com/x) **https://example.com**",
			"[ this ] ( https://example.com/x ) ** https://example.com **"},
		{"bare scheme", "http:// www. www...", "http : // www . www ..."},
		{"domain", "on example.com/path, or Example.org.", "on example.com/path , or Example.org ."},
		{"file", "cat-photo.jpg", "cat-photo.jpg"},
		{"e-mail", "to first.last+tag@mail.example.org. a@b", "to first.last+tag@mail.example.org . a @b"},
		{"long local part", strings.Repeat("a", 65) + "@b.org", strings.Repeat("a", 65) + " @b . org"},
		{"character reference", "a &gt; b &#x200B; &amp;& AT&T", "a &gt; b &#x200B; &amp; & AT&T"},

		{"emoji", "😂😂😂 ok👍🏽", "😂 😂 😂 ok 👍🏽"},
		{"joined emoji", "🤷🏽‍♀️👩‍👩‍👧‍👦❤️🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🤷🏽‍♀️ 👩‍👩‍👧‍👦 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿"},
		{"flags", "🇩🇪🇫🇷🇪", "🇩🇪 🇫🇷 🇪"},
		{"keycaps", "1️⃣2️⃣#️⃣*⃣ 3", "1️⃣ 2️⃣ #️⃣ *⃣ 3"},
		{"symbols", "★★ ™ ♥♥", "★ ★ ™ ♥ ♥"},
		{"Braille", "⠀⣿⣿ ⡇a", "⠀⣿⣿ ⡇ a"},
		{"emoji in a word", "so😀good", "so 😀 good"},

		{"emoticons", ":) :-( ;P :D =) >:( :'( 8-) xD <3 </3 D: (: ):", ":) :-( ;P :D =) >:( :'( 8-) xD <3 </3 D: (: ):"},
		{"long emoticons", ":DDD :)))) XDDD <33", ":DDD :)))) XDDD <33"},
		{"upright emoticons", "^_^ -_- o_O T.T >_< ^^ \\o/ ¯\\_(ツ)_/¯ ._. ಠ_ಠ", "^_^ -_- o_O T.T >_< ^^ \\o/ ¯\\_(ツ)_/¯ ._. ಠ_ಠ"},
		{"emoticon and marks", "yes:) (no :() fine :/. ok;)", "yes :) ( no :( ) fine :/ . ok ;)"},
		{"shortcode", ":joy: ::cough:: a:b:c", ":joy: :: cough :: a : b : c"},
		{"no emoticon", "10:30 3:0 Edit:Done :Done 8) D:\\ (see:x) xDa <30 :(a **Now:** to:/x",
			"10:30 3:0 Edit : Done : Done 8 ) D : \\ ( see : x ) xDa < 30 : ( a ** Now : ** to : / x"},
		{"table", "|:-|:-|", "| : - | : - |"},
		{"tone tag", "sure /s and /x/ and/or", "sure /s and / x / and / or"},

		{"runs", "No... what!!! no?! hm.… -- ,, ~~", "No ... what !!! no ?! hm .… -- ,, ~~"},
		{"marks apart", "…? !. \"\" ((a)) «b» “c”", "… ? ! . \" \" ( ( a ) ) « b » “ c ”"},
		{"wide marks", "好！？。。", "好 ！？ 。。"},
		{"emphasis", "**so** _very_ *un*real __a_b__", "** so ** _ very _ * un*real __ a_b __"},
		{"censored", "f*ck f**king A$AP f***", "f*ck f**king A$AP f ***"},

		{"hyphen", "well-known x-ray-like F-16 50-50 -ish pre- a--b re‑do", "well-known x-ray-like F-16 50-50 - ish pre - a -- b re‑do"},
		{"slash", "w/o b/c w/ my 24/7 he/she", "w/o b/c w/ my 24/7 he / she"},
		{"ampersand", "R&B you&me AT&T.", "R&B you & me AT&T ."},
		{"numbers", "3.50 1,000 10:30pm 1:1 9/10 .5 v2.0 2.", "3.50 1,000 10:30pm 1:1 9/10 .5 v2.0 2 ."},
		{"signs", "$5 £3.50, 50% 90+% 80+ 1+1 $$ 5$", "$5 £3.50 , 50% 90+ % 80+ 1 + 1 $$ 5 $"},
		{"forgotten space", "it.But fine.so J.Smith", "it . But fine . so J . Smith"},
		{"initials", "U.S. e.g. 3 p.m., U.S.A J.K.Rowe", "U.S. e.g. 3 p.m. , U.S.A J.K. Rowe"},
		{"abbreviations", "Mr. Lee etc. vs. st. Mr.. etc...", "Mr. Lee etc. vs. st . Mr .. etc ..."},

		{"zero-width space", "a\u200bb \u200b \u200bc d\u200b", "a\u200b b \u200b \u200bc d\u200b"},
		{"joiners", "a\u200db\u200cc \u200d \ufeffd", "a\u200db\u200cc \u200d \ufeffd"},
		{"direction marks", "\u202bשלום\u202c! \u200f", "\u202bשלום\u202c ! \u200f"},
		{"combining marks", "e\u0301te\u0301 \u0301 \u0301a !\u0301?", "e\u0301te\u0301 \u0301 \u0301a !\u0301 ?"},
		{"variation selector alone", "\ufe0f a\ufe0f", "\ufe0f a\ufe0f"},
		{"controls", "a\x00b \x1b[0m \x7f", "a\x00 b \x1b[ 0m \x7f"},
		{"separators, white space to Python", "so \x1f sad\x1ctoday😀\x1d😀 \x1e", "so sad today 😀 😀"},
		{"soft hyphen", "co\u00adop", "co\u00adop"},
		{"invalid UTF-8", "\xff\xfeab \xe2\x80", "\xff \xfe ab \xe2\x80"},

		{"Chinese", "我很高兴。", "我 很 高 兴 。"},
		{"Japanese", "カタカナ語です", "カタカナ 語 で す"},
		{"Korean", "정말 좋아요!", "정말 좋아요 !"},
		{"Hindi", "#हिन्दी मुझे", "#हिन्दी मुझे"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(wordsOf(tt.text), " ")
			if got != tt.want {
				t.Errorf("Words(%q)\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

// checkWords fails unless tokens have the properties that [Words] promises.
func checkWords(t *testing.T, text string, tokens []Token) {
	t.Helper()
	end := 0
	for i, token := range tokens {
		if token.Start < end || token.End <= token.Start || token.End > len(text) {
			t.Fatalf("token %d of %q is %v after %d", i, text, token, end)
		}
		if gap := text[end:token.Start]; strings.TrimSpace(gap) != "" {
			t.Fatalf("%q of %q is in no token", gap, text)
		}
		if word := text[token.Start:token.End]; strings.ContainsFunc(word, unicode.IsSpace) {
			t.Fatalf("token %q of %q holds white space", word, text)
		}
		end = token.End
	}
	if rest := text[end:]; strings.TrimSpace(rest) != "" {
		t.Fatalf("%q of %q is in no token", rest, text)
	}
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		"Stop asking me the same question.", "[NAME]'s 🤷🏽‍♀️ 1️⃣ <3 :'-( ^_^ ¯\\_(ツ)_/¯", "a\u200bb \u200d\ufe0f \u0301",
		"https://x.org/(a), a.b@c.de r/ab &gt; U.S. etc. 'cause '90s w/o", "\xff\xe2\x80 \u202f1\u202f0", "我カタไทย정말",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens := Words(text)
		checkWords(t, text, tokens)
		// A token does not depend on what follows the next white space.
		first, _, _ := strings.Cut(text, " ")
		if alone := Words(first); utf8.ValidString(text) && !slices.Equal(alone, tokens[:min(len(alone), len(tokens))]) {
			t.Fatalf("%q begins with %v, alone %v", text, tokens, alone)
		}
	})
}

// hostileTexts are texts on which a rule that looks ahead or back without a
// limit would take time quadratic in their length.
func hostileTexts(size int) map[string]string {
	texts := map[string]string{}
	for _, unit := range []string{
		"[", "#", ":", "(", "a:", "ab.", "a.", "a-", "a*", "😂", "🇩", "\u200b", "\u0301", "😂\u200d", ":D", ":(", "'", "'a",
		"[A", "&a", "www.", "http://", "www.)", "a-.", "a@", "r/", "¯\\", "^_", "_", "1:", "1/", "$", " ", "\n", ". ", ".)",
		"! ", "\"", "\xff", "我", "and I ", "a, ", "if ", "a but ", "even ", "<3", "x", "\u202f", "Mr. ", "(a", "a\u200d",
	} {
		texts[unit] = strings.Repeat(unit, size/len(unit))
	}
	return texts
}

func TestWordsOfHostileTexts(t *testing.T) {
	for unit, text := range hostileTexts(1 << 15) {
		t.Run(unit, func(t *testing.T) {
			checkWords(t, text, Words(text))
		})
	}
}

func BenchmarkWords(b *testing.B) {
	prose := string(bytes.Repeat([]byte("I don't think [NAME]'s idea is well-known, but it’s great! 😂 "), 1<<14))
	texts := hostileTexts(1 << 20)
	texts["prose"] = prose[:1<<20]
	for unit, text := range texts {
		b.Run(unit, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Words(text)
			}
		})
	}
}
