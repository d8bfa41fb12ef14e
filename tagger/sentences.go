package tagger

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Position is a token's place in its text: the index of its sentence, and of
// its clause within that sentence, both from 0.
type Position struct{ Sentence, Clause int }

// Positions returns the position of each token of text, as [Words] gives them.
// It takes linear time and may be called from several goroutines.
//
// Sentences follow UAX #29 (Unicode Text Segmentation), with chat in mind:
//
//   - A line break, a sentence mark (Unicode's Sentence_Terminal: ! ? . 。) or an
//     ellipsis ends a sentence. Closing quotes, brackets and emphasis glued to
//     it, and emoji and emoticons after it on the line, belong to that sentence.
//   - A full stop ends it whatever the case of the next word ("ok. see you"),
//     unless no white space follows and the next word is not in upper case.
//     It does not in abbreviations, after the initial of a name (J. Smith), or
//     after a number that begins the sentence, as in a list.
//   - After an ellipsis, or after a quote or bracket closed behind any mark,
//     lower case goes on with the sentence ("Why?" she asked). So does a comma,
//     semicolon, colon or dash after any mark.
//
// Clauses are guessed from English function words; in other languages they
// are mostly 0. A clause has two words or more. One begins
//
//   - after , ; : … a dash or a bracket, and at an opening bracket or quote,
//     where a finite clause seems to follow: a subject pronoun with a word
//     after it, a question word, "please" or the like, or a noun phrase with an
//     auxiliary verb among its next four words; after ; always;
//   - at "but" with two words after it, and at a subordinating conjunction that is nothing else
//     (because, although, unless, …), without a mark before them too;
//   - at other conjunctions (and, or, so, if, when, while, since, …) where a
//     finite clause seems to follow.
func Positions(text string, tokens []Token) []Position {
	p := passage{text, tokens}
	positions := make([]Position, len(tokens))
	for start, sentence := 0, 0; start < len(tokens); sentence++ {
		end := p.sentenceEnd(start)
		left := 0
		for i := start; i < end; i++ {
			if p.isWord(i) {
				left++
			}
		}
		clause, words := 0, 0
		for i := start; i < end; i++ {
			if words >= 2 && left >= 2 && p.opensClause(i, end) {
				clause, words = clause+1, 0
			}
			positions[i] = Position{sentence, clause}
			if p.isWord(i) {
				words, left = words+1, left-1
			}
		}
		start = end
	}
	return positions
}

// A Range is the half-open byte range text[Start:End] of a text.
type Range struct{ Start, End int }

// Sentences returns where the sentences of text stand, those of [Positions]:
// each from the first byte of its first token to the last of its last, without
// the white space around it. None is empty, and white space is all that lies
// between them. It takes linear time and may be called from several goroutines.
func Sentences(text string) []Range {
	p := passage{text, Words(text)}
	var sentences []Range
	for start := 0; start < len(p.tokens); {
		end := p.sentenceEnd(start)
		sentences = append(sentences, Range{p.tokens[start].Start, p.tokens[end-1].End})
		start = end
	}
	return sentences
}

// A passage is a text with its tokens, which its methods name by index. An
// index past the last token is an empty token.
type passage struct {
	text   string
	tokens []Token
}

// token returns token i without the invisible characters glued to it.
func (p passage) token(i int) string {
	if i < 0 || i >= len(p.tokens) {
		return ""
	}
	return strings.TrimFunc(p.text[p.tokens[i].Start:p.tokens[i].End], isInvisible)
}

// gap returns the white space before token i.
func (p passage) gap(i int) string {
	if i <= 0 || i >= len(p.tokens) {
		return ""
	}
	return p.text[p.tokens[i-1].End:p.tokens[i].Start]
}

func (p passage) lineBreak(i int) bool {
	return strings.ContainsAny(p.gap(i), "\n\v\f\r\u0085\u2028\u2029")
}

func (p passage) glued(i int) bool { return i > 0 && i < len(p.tokens) && p.gap(i) == "" }

// pictograph reports whether token i is an emoji, another symbol or an emoticon.
func (p passage) pictograph(i int) bool {
	token := p.token(i)
	r, _ := utf8.DecodeRuneInString(token)
	return unicode.Is(unicode.So, r) || strings.HasSuffix(p.text[p.tokens[i].Start:p.tokens[i].End], "\u20e3") ||
		token != "" && emoticonEnd(p.text, p.tokens[i].Start) == p.tokens[i].Start+len(token)
}

func (p passage) isWord(i int) bool {
	return strings.ContainsFunc(p.token(i), isWordRune) && !p.pictograph(i)
}

// terminator returns the mark of token i if it is one or more that end a
// sentence: '.' for a full stop, '…' for an ellipsis, '!' for the rest, or 0.
func (p passage) terminator(i int) rune {
	token := p.token(i)
	r, size := utf8.DecodeRuneInString(token)
	last, _ := utf8.DecodeLastRuneInString(token)
	switch {
	case r != '…' && !unicode.Is(unicode.STerm, r) || last != '…' && !unicode.Is(unicode.STerm, last) || p.pictograph(i):
		return 0
	case markKind(r) != '.':
		return '!'
	case r == '.' && size == len(token):
		return '.'
	}
	return '…'
}

// sentenceEnd returns the index after the last token of the sentence that
// begins at start.
func (p passage) sentenceEnd(start int) int {
	for i := start; i < len(p.tokens); {
		mark := p.terminator(i)
		last, closed := i, false
		next := i + 1
		if mark != 0 {
			for ; next < len(p.tokens) && !p.lineBreak(next); next++ {
				if m := p.terminator(next); m != 0 {
					mark, last, closed = m, next, false
				} else if p.closes(next) {
					closed = true
				} else if !p.pictograph(next) {
					break
				}
			}
		}
		if p.lineBreak(next) || p.endsBefore(next, start, last, mark, closed) {
			return next
		}
		i = next
	}
	return len(p.tokens)
}

// closes reports whether token i closes a quote, bracket or emphasis.
func (p passage) closes(i int) bool {
	r, _ := utf8.DecodeRuneInString(p.token(i))
	return p.glued(i) && (unicode.In(r, unicode.Pe, unicode.Pf) ||
		strings.ContainsRune(`"'*_~`, r) && !(p.glued(i+1) && p.isWord(i+1)))
}

// endsBefore reports whether the sentence from start on ends before token
// next. The sentence's token last is the mark given or, where that is 0, an
// abbreviation if anything; closed says that a quote or bracket has closed
// since.
func (p passage) endsBefore(next, start, last int, mark rune, closed bool) bool {
	if next >= len(p.tokens) {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(p.token(next), func(r rune) bool { return !isWordRune(r) }))
	if first == utf8.RuneError { // an opening quote, say
		first, _ = utf8.DecodeRuneInString(p.token(next + 1))
	}
	if mark == 0 {
		return finalAbbreviations[strings.ToLower(p.token(last))] && unicode.IsUpper(first)
	}
	switch p.token(next) {
	case ",", ";", ":", "-", "--", "–", "—":
		return false
	}
	if closed && (unicode.IsLower(first) || p.token(last-1) == "(") {
		return false
	}
	switch before := p.token(last - 1); {
	case mark == '…':
		return !unicode.IsLower(first)
	case mark == '.' && p.glued(next):
		return unicode.IsLetter(first) && !unicode.IsLower(first)
	case mark == '.' && p.glued(last):
		initial := len(before) == 1 && before != "I" && unicode.IsUpper(rune(before[0])) && unicode.IsUpper(first)
		number := last-1 == start && strings.Trim(before, "0123456789") == ""
		return !initial && !number
	}
	return true
}

// finalAbbreviations may end a sentence, and do before upper case.
var finalAbbreviations = map[string]bool{
	"etc.": true, "a.m.": true, "p.m.": true, "inc.": true, "ltd.": true, "jr.": true, "sr.": true,
}

// opensClause reports whether token i begins a clause of the sentence that
// ends before end.
func (p passage) opensClause(i, end int) bool {
	before := i - 1
	if strings.ContainsAny(p.token(before), `"”`) && p.closes(before) {
		before--
	}
	mark := p.token(before)
	switch mark {
	case ";":
		return true
	case ",", ":", "–", "—", "--", "(", ")":
	case "-":
		if p.glued(before) || p.glued(i) {
			mark = ""
		}
	default:
		if p.terminator(before) == 0 {
			mark = ""
		}
	}
	switch p.token(i) {
	case "(", `"`, "“", "‘":
		return (mark != "" || p.token(i) == "(") && !p.closes(i) && p.finite(i+1, end)
	}

	word := p.lower(i)
	next := p.lower(i + 1)
	switch {
	case focusing[word]: // even though, just because
		return subordinating[next] && p.subordinates(i+1, end)
	case word == "but":
		switch p.lower(i - 1) {
		case "nothing", "anything", "everything", "all", "none":
			return false
		}
		return p.isWord(i+1) && p.isWord(i+2)
	case subordinating[word]:
		return p.subordinates(i, end)
	case word == "and" || word == "or" || word == "nor" || word == "so" || word == "yet" || word == "then" || word == "plus":
		if next == "then" || next == "now" || next == "so" {
			return p.finite(i+2, end)
		}
		paired := mark == "" && next == "i" && pronouns[p.lower(i-1)] // you and I
		return !paired && p.finite(i+1, end)
	}
	return mark != "" && p.finite(i, end)
}

// subordinates reports whether the subordinating conjunction i begins a clause.
func (p passage) subordinates(i, end int) bool {
	switch p.lower(i) {
	case "because", "cuz", "'cause":
		return p.lower(i+1) != "of"
	case "although", "though", "unless", "whereas":
		return p.isWord(i + 1)
	case "as", "once":
		if p.lower(i-2) == "as" || p.lower(i-1) == "for" || p.lower(i-1) == "at" { // as good as, for once
			return false
		}
	}
	return p.subject(i+1, end)
}

// finite reports whether a finite clause, subordinate or not, seems to begin
// at token i.
func (p passage) finite(i, end int) bool {
	return i < end && subordinating[p.lower(i)] && p.subordinates(i, end) || p.subject(i, end)
}

// subject reports whether what begins a main clause stands at token i.
func (p passage) subject(i, end int) bool {
	if i >= end {
		return false
	}
	word := p.lower(i)
	pronoun, _, contracted := strings.Cut(word, "'")
	first, _ := utf8.DecodeRuneInString(p.token(i))
	switch {
	case openers[word]:
		return true
	case pronouns[pronoun]:
		return contracted || i+1 < end && p.isWord(i+1)
	case !determiners[word] && first != '[' && !unicode.IsUpper(first):
		return false
	}
	for k := i + 1; k < min(i+5, end) && p.isWord(k); k++ {
		if verb := p.lower(k); auxiliaries[verb] || strings.HasSuffix(verb, "n't") {
			return true
		}
	}
	return false
}

// lower returns token i in lower case with straight apostrophes.
func (p passage) lower(i int) string {
	return strings.ReplaceAll(strings.ToLower(p.token(i)), "’", "'")
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

var (
	focusing      = wordSet("even ever just only especially")
	subordinating = wordSet(`because cuz 'cause although though unless whereas if when whenever while since after before
		until till til 'til once as where`)
	pronouns = wordSet(`i you u he she it we they this that these those there who which someone somebody everyone
		everybody anyone nobody everything nothing people im ive thats theres youre theyre y'all`)
	openers     = wordSet("what why how whether please let's lets don't dont thanks thank")
	determiners = wordSet("the a an my your his her our their its some every each no all most")
	auxiliaries = wordSet(`is are was were am has have had do does did will would can could should must may might
		isnt wasnt cant wont`)
)
