package tagger

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"github.com/emospan/emospan/dataset"
)

// A Token is the half-open byte range text[Start:End] of one word, mark or
// emoji of a text.
type Token struct{ Start, End int }

// Words splits text into the tokens of the dataset. Tokens are in order, do
// not overlap and are never empty; every byte that is not white space (the
// Unicode property White_Space) lies in exactly one of them, and none holds
// white space. It takes time linear in len(text) for any text, valid UTF-8 or
// not, and may be called from several goroutines.
//
// Tokens are the word segments of UAX #29 (Unicode Text Segmentation), so
// Thai, Chinese and Japanese are split as it says, except that:
//
//   - Web and e-mail addresses, #tags, @users, r/subs, u/users, file names and
//     character references (&amp;) are one token each. The local part of an
//     e-mail address has at most 64 bytes (RFC 5321).
//   - Placeholders are one token, with a contracted ending: [NAME], [NAME]'s.
//   - Emoticons are one token: :) :-( ;P :DDD xD <3 D: ^_^ o_O ¯\_(ツ)_/¯ :joy:
//     but not in 10:30, http:// or Edit:Done. So are tone tags: /s.
//   - An emoji with its joiners, skin tone or variation selector is one token,
//     as are a flag and a keycap; each of 😂😂😂 is one.
//   - A run of one punctuation mark is one token (... !!! --), and so is any
//     mix of ! and ? marks, or of . and …; brackets and quotation marks stand
//     alone. A run of Braille cells, used for pictures, is one token.
//   - Contractions and possessives are one token (don't, it’s, dogs', goin',
//     'cause, '90s). A final apostrophe belongs to a word in -s or -in, unless
//     a single quotation mark is open.
//   - Hyphens between letters or digits join (well-known, 50-50, F-16), as do
//     asterisks, dollar signs and accents between letters (f**k, A$AP, isn´t),
//     ampersands between capitals (AT&T), slashes between single letters (w/o,
//     b/c; also w/ alone) and slashes and colons between digits (9/10, 10:30).
//   - Numbers keep their signs: $5, .5, 1,000, 50%, 80+.
//   - Full stops and colons between letters split, as does the space forgotten
//     in "fine.But"; they do not in initials (U.S., e.g., p.m.) and in titles
//     and a few abbreviations (Mr., etc.), which keep their final full stop.
//   - Underscores around a word are emphasis, and split: _so_ is three tokens.
//   - Invisible characters (controls, joiners, direction marks, zero-width
//     spaces) and combining marks belong to the token they are glued to, the
//     one before them if there are two, and are a token between white space.
func Words(text string) []Token {
	s := wordScanner{text: text, segments: words.FromString(text)}
	tokens := make([]Token, 0, len(text)/5+1)
	for {
		t, ok := s.next()
		if !ok {
			return tokens
		}
		tokens = append(tokens, t)
	}
}

// A wordScanner holds the state of [Words]. Its methods take the offset i of
// a token's first visible rune and return the end of the token, or i where the
// rule they stand for does not apply.
type wordScanner struct {
	text     string
	segments *words.Iterator[string]
	segment  int  // end of the UAX #29 segment last asked for
	end      int  // end of the last token
	quoted   bool // a single quotation mark is open
}

func (s *wordScanner) next() (Token, bool) {
	start := skipRunes(s.text, s.end, dataset.IsSpace)
	if start == len(s.text) {
		return Token{}, false
	}
	end := skipRunes(s.text, start, isInvisible)
	if r, size := utf8.DecodeRuneInString(s.text[end:]); size > 0 && !dataset.IsSpace(r) {
		end = skipRunes(s.text, s.visible(end, r), isInvisible)
	}
	s.end = end
	return Token{start, end}, true
}

// visible returns the end of the token whose first visible rune is r, at i.
func (s *wordScanner) visible(i int, r rune) int {
	if end := emoticonEnd(s.text, i); end > i {
		return end
	}
	if end := s.keycap(i); end > i {
		return end
	}
	var end int
	switch {
	case isWordRune(r):
		if end = s.address(i); end == i {
			end = s.word(i)
		}
	case r == '[':
		end = s.placeholder(i)
	case r == '#' || r == '@':
		if end = skipRunes(s.text, i+1, isNameRune); end == i+1 {
			end = i
		}
	case r == '&':
		end = s.characterReference(i)
	case r == '/':
		if end = s.redditName(i); end == i {
			end = s.toneTag(i)
		}
	case isApostrophe(r):
		end = s.elision(i, r)
	case r == '.' || unicode.Is(unicode.Sc, r):
		end = s.signedNumber(i, r)
	}
	if end > i {
		return end
	}
	if end = s.punctuation(i, r); end > i {
		return end
	}
	if end = skipRunes(s.text, i, func(r rune) bool { return unicode.Is(unicode.Braille, r) }); end > i {
		return end
	}
	// Emoji and symbols; U+202F, white space to us, may join two in UAX #29.
	end = s.segmentEnd(i)
	if n := strings.IndexFunc(s.text[i:end], dataset.IsSpace); n > 0 {
		end = i + n
	}
	return end
}

// segmentEnd returns the end of the UAX #29 segment that holds byte i. As the
// segments are walked only once, i must not decrease from call to call.
func (s *wordScanner) segmentEnd(i int) int {
	for s.segment <= i {
		s.segments.Next()
		s.segment = s.segments.End()
	}
	return s.segment
}

// word scans a word, a number, or pieces of both with joiners between them.
func (s *wordScanner) word(i int) int {
	end := s.piece(i)
	for {
		next := s.joiner(i, end)
		if next == end {
			return s.ending(i, end)
		}
		end = s.piece(next)
	}
}

// piece scans what UAX #29 takes for a word, up to where [Words] splits it.
func (s *wordScanner) piece(i int) int {
	end := s.segmentEnd(i)
	if isDottedName(s.text[i:end]) {
		if strings.HasPrefix(s.text[end:], "/") {
			return addressEnd(s.text, end)
		}
		return end
	}
	for k, r := range s.text[i:end] {
		k += i
		if r == ':' || r == '.' && !isInnerDot(s.text[i:end], k-i) || dataset.IsSpace(r) {
			return k
		}
	}
	return i + len(strings.TrimRight(s.text[i:end], "_"))
}

// joiner returns where the next piece of the word s.text[i:end] begins, after
// a hyphen or the like at end, or end if the word ends there.
func (s *wordScanner) joiner(i, end int) int {
	r, size := utf8.DecodeRuneInString(s.text[end:])
	next := end + size
	if r == '*' {
		next = end + len(s.text[end:]) - len(strings.TrimLeft(s.text[end:], "*"))
	}
	last, _ := utf8.DecodeLastRuneInString(s.text[i:end])
	first, size := utf8.DecodeRuneInString(s.text[next:])
	joins := func(is func(rune) bool) bool { return is(last) && is(first) }
	var joined bool
	switch r {
	case '-', '‐', '‑':
		joined = (isWordRune(last) || unicode.IsMark(last)) && isWordRune(first)
	case '\'', '’': // UAX #29 joins those between letters
		joined = unicode.IsDigit(last) && unicode.IsLetter(first)
	case '*', '$', '`', '´':
		joined = joins(unicode.IsLetter)
	case '&':
		joined = joins(unicode.IsUpper)
	case ':':
		joined = joins(unicode.IsDigit)
	case '/':
		after, _ := utf8.DecodeRuneInString(s.text[next+size:])
		joined = joins(unicode.IsDigit) ||
			joins(unicode.IsLetter) && i+utf8.RuneLen(last) == end && !isWordRune(after) && after != '/'
	}
	if !joined {
		return end
	}
	return next
}

// ending extends the word s.text[i:end] over a sign, full stop or apostrophe
// that belongs to it.
func (s *wordScanner) ending(i, end int) int {
	word, rest := s.text[i:end], s.text[end:]
	r, size := utf8.DecodeRuneInString(rest)
	after, _ := utf8.DecodeRuneInString(rest[size:])
	switch {
	case isASCIIDigit(word[len(word)-1]) && (r == '%' || r == '+' && !isWordRune(after)):
		return end + size
	case (word == "w" || word == "W") && r == '/' && after != '/':
		return end + size
	case r == '.' && after != '.' && (abbreviations[word] || isInitials(word)):
		return end + size
	case isApostrophe(r) && !s.quoted && !isWordRune(after):
		lower := strings.ToLower(word[max(0, len(word)-3):])
		if len(word) > 2 && (strings.HasSuffix(lower, "s") || strings.HasSuffix(lower, "in")) || lower == "ol" {
			return end + size
		}
	}
	return end
}

// abbreviations keep their full stop; isInitials finds those of single
// letters. Spelt otherwise (st, rep) they are more often words.
var abbreviations = map[string]bool{
	"Mr": true, "Mrs": true, "Ms": true, "Mx": true, "Dr": true, "Prof": true, "St": true, "Sr": true, "Jr": true,
	"Rev": true, "Gen": true, "Sgt": true, "Capt": true, "Lt": true, "Gov": true, "Sen": true, "Rep": true,
	"mr": true, "mrs": true, "ms": true, "dr": true, "prof": true, "vs": true, "Vs": true, "etc": true, "Etc": true,
	"inc": true, "Inc": true, "ltd": true, "Ltd": true, "approx": true, "dept": true,
}

// isInitials reports single ASCII letters with full stops between: U.S, e.g.
func isInitials(word string) bool {
	for i := range len(word) {
		if i%2 == 0 && !isASCIILetter(word[i]) || i%2 == 1 && word[i] != '.' {
			return false
		}
	}
	return len(word) >= 3 && len(word)%2 == 1
}

// isInnerDot reports whether the full stop at k of a UAX #29 segment, which
// letters or digits surround, is part of initials or of a number.
func isInnerDot(segment string, k int) bool {
	before, after := segment[k-1], byte(0)
	if k+1 < len(segment) {
		after = segment[k+1]
	}
	return isASCIIDigit(before) && isASCIIDigit(after) ||
		isASCIILetter(before) && (k == 1 || segment[k-2] == '.') &&
			isASCIILetter(after) && (k+2 == len(segment) || segment[k+2] == '.')
}

// placeholder scans a bracketed name of 2 to 32 capitals, digits and
// underscores, with a contracted ending.
func (s *wordScanner) placeholder(i int) int {
	end := i + 1
	for end < len(s.text) && end-i <= 32 && (s.text[end] >= 'A' && s.text[end] <= 'Z' ||
		end > i+1 && (isASCIIDigit(s.text[end]) || s.text[end] == '_')) {
		end++
	}
	if end < i+3 || !strings.HasPrefix(s.text[end:], "]") {
		return i
	}
	end++
	if r, size := utf8.DecodeRuneInString(s.text[end:]); isApostrophe(r) {
		if first, _ := utf8.DecodeRuneInString(s.text[end+size:]); unicode.IsLetter(first) {
			return s.piece(end + size)
		}
	}
	return end
}

// characterReference scans an HTML character reference: &gt; or &#x200B;
func (s *wordScanner) characterReference(i int) int {
	name := i + 1
	if strings.HasPrefix(s.text[name:], "#") {
		name++
	}
	end := skipASCII(s.text, name, min(len(s.text), name+8), "")
	if end >= name+2 && strings.HasPrefix(s.text[end:], ";") {
		return end + 1
	}
	return i
}

// keycap scans a digit, # or * that a combining keycap makes an emoji.
func (s *wordScanner) keycap(i int) int {
	if c := s.text[i]; isASCIIDigit(c) || c == '#' || c == '*' {
		rest := strings.TrimPrefix(s.text[i+1:], "\ufe0f")
		if after, ok := strings.CutPrefix(rest, "\u20e3"); ok {
			return len(s.text) - len(after)
		}
	}
	return i
}

// elisions are the words written with an apostrophe in front.
var elisions = map[string]bool{
	"cause": true, "cuz": true, "coz": true, "em": true, "til": true, "till": true, "bout": true, "round": true,
	"n": true, "tis": true, "twas": true, "nuff": true, "er": true,
}

// elision scans a word with an apostrophe in front, or else a single quotation
// mark, and keeps count of whether one is open.
func (s *wordScanner) elision(i int, r rune) int {
	word := i + utf8.RuneLen(r)
	before, _ := utf8.DecodeLastRuneInString(s.text[:i])
	first, _ := utf8.DecodeRuneInString(s.text[word:])
	if isWordRune(before) || !isWordRune(first) {
		s.quoted = false
		return word
	}
	end := word
	for end < len(s.text) && end-word < 8 && (isASCIILetter(s.text[end]) || isASCIIDigit(s.text[end])) {
		end++
	}
	elided := strings.ToLower(s.text[word:end])
	decade := isASCIIDigit(s.text[word]) && strings.HasSuffix(elided, "s")
	next, size := utf8.DecodeRuneInString(s.text[end:])
	if !isWordRune(next) && (elisions[elided] || decade) {
		if elided == "n" && isApostrophe(next) {
			end += size
		}
		return end
	}
	s.quoted = true
	return word
}

// signedNumber scans a currency sign or decimal point and its number.
func (s *wordScanner) signedNumber(i int, r rune) int {
	number := i + utf8.RuneLen(r)
	first, _ := utf8.DecodeRuneInString(s.text[number:])
	if !unicode.IsDigit(first) || r == '.' && !spaceBefore(s.text, i) {
		return i
	}
	return s.word(number)
}

// punctuation scans one bracket or quotation mark, or a run of one mark.
func (s *wordScanner) punctuation(i int, r rune) int {
	if !unicode.IsPunct(r) && (r >= utf8.RuneSelf || !unicode.IsSymbol(r)) {
		return i
	}
	end := i + utf8.RuneLen(r)
	if r == '"' || r == '\'' || unicode.In(r, unicode.Ps, unicode.Pe, unicode.Pi, unicode.Pf) {
		return end
	}
	kind := markKind(r)
	return skipRunes(s.text, end, func(r rune) bool { return markKind(r) == kind })
}

// markKind maps the marks that may stand in one run to the same rune.
func markKind(r rune) rune {
	switch r {
	case '?', '！', '？', '‽':
		return '!'
	case '…':
		return '.'
	}
	return r
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// isNameRune reports whether r may stand in a #tag or @user.
func isNameRune(r rune) bool { return isWordRune(r) || unicode.IsMark(r) || r == '_' }

// isInvisible reports whether r has no glyph of its own.
func isInvisible(r rune) bool {
	if ' ' <= r && r <= '~' {
		return false
	}
	return unicode.In(r, unicode.M, unicode.Cf, unicode.Cc) && !dataset.IsSpace(r)
}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' || r == '‘' }

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isASCIIDigit(c byte) bool { return '0' <= c && c <= '9' }

// skipRunes returns the offset of the first rune of text from i on that is not
// of the kind asked for. A byte that is not UTF-8 is of no kind.
func skipRunes(text string, i int, is func(rune) bool) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || !is(r) {
			break
		}
		i += size
	}
	return i
}

// spaceBefore reports whether text[i:] begins the text or follows white space.
func spaceBefore(text string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return i == 0 || dataset.IsSpace(r)
}
