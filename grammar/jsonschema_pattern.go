package grammar

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxPatternDepth = 100 // of groups in groups

// patternOp says what a patternNode is.
type patternOp uint8

const (
	patternRune      patternOp = iota // one code point of runes
	patternConcat                     // sub, one after the other
	patternAlternate                  // one of sub
	patternRepeat                     // sub[0], lo to hi times
	patternStart                      // ^
	patternEnd                        // $
	patternAhead                      // sub[0] comes, if lo is 1, or does not; at the beginning only
)

// patternNode is a node of the syntax tree of a pattern.
type patternNode struct {
	op     patternOp
	runes  []Range // merged, not empty
	sub    []*patternNode
	lo, hi int
	ahead  []*patternNode // of a whole pattern: what is looked for after its ^
}

// patternParser parses the regular expressions of ECMA-262, with the u flag. What has a
// meaning that it cannot follow is an error, as is what has one only without that flag;
// but \ may stand before any punctuation.
type patternParser struct {
	at    *jsonValue
	src   string
	pos   int
	depth int

	aheads, firstAhead int // how many (?= and (?! there are, and where the first is
}

func parsePattern(v *jsonValue) (*patternNode, error) {
	p := &patternParser{at: v, src: v.text}
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, p.errorf(p.pos, "unbalanced )")
	}
	if n.op == patternConcat && len(n.sub) > 1 && n.sub[0].op == patternStart {
		last := 1
		for last < len(n.sub) && n.sub[last].op == patternAhead {
			last++
		}
		if last > 1 {
			n = &patternNode{op: patternConcat, sub: append([]*patternNode{n.sub[0]}, n.sub[last:]...), ahead: n.sub[1:last]}
			p.aheads -= last - 1
		}
	}
	if p.aheads > 0 {
		return nil, p.errorf(p.firstAhead, "look-around is not supported")
	}
	return n, nil
}

func (p *patternParser) errorf(pos int, reason string) error {
	return p.at.errorf("at byte %d, %s: %s", pos, quoteSnippet(p.src[pos:]), reason)
}

func (p *patternParser) rest() string { return p.src[p.pos:] }

// accept consumes s if it comes next.
func (p *patternParser) accept(s string) bool {
	if !strings.HasPrefix(p.rest(), s) {
		return false
	}
	p.pos += len(s)
	return true
}

// alternatives parses up to the end or a ).
func (p *patternParser) alternatives() (*patternNode, error) {
	alternatives := &patternNode{op: patternAlternate}
	for {
		sequence := &patternNode{op: patternConcat}
		for rest := p.rest(); rest != "" && rest[0] != '|' && rest[0] != ')'; rest = p.rest() {
			n, err := p.term()
			if err != nil {
				return nil, err
			}
			sequence.sub = append(sequence.sub, n)
		}
		alternatives.sub = append(alternatives.sub, sequence)
		if !p.accept("|") {
			break
		}
	}
	if len(alternatives.sub) == 1 {
		return alternatives.sub[0], nil
	}
	return alternatives, nil
}

// term parses an assertion, or an atom and what repeats it.
func (p *patternParser) term() (*patternNode, error) {
	start := p.pos
	switch {
	case p.accept("^"):
		return &patternNode{op: patternStart}, nil
	case p.accept("$"):
		return &patternNode{op: patternEnd}, nil
	}
	n, err := p.atom()
	if err != nil {
		return nil, err
	}
	lo, hi := 1, 1
	switch {
	case p.accept("*"):
		lo, hi = 0, Unbounded
	case p.accept("+"):
		lo, hi = 1, Unbounded
	case p.accept("?"):
		lo, hi = 0, 1
	case p.accept("{"):
		if lo, hi, err = p.counts(); err != nil {
			return nil, err
		}
	default:
		return n, nil
	}
	p.accept("?") // lazy: the same strings match
	if strings.ContainsRune("*+?{", p.next()) {
		return nil, p.errorf(start, "repeated twice: put it in a group, (?:…)")
	}
	return &patternNode{op: patternRepeat, sub: []*patternNode{n}, lo: lo, hi: hi}, nil
}

// next returns the character that comes next, U+FFFD at the end.
func (p *patternParser) next() rune {
	r, _ := utf8.DecodeRuneInString(p.rest())
	return r
}

// counts parses what follows the { of {m}, {m,} or {m,n}.
func (p *patternParser) counts() (lo, hi int, err error) {
	start := p.pos - 1
	number := func() (int, bool) {
		from := p.pos
		for c := p.next(); '0' <= c && c <= '9'; c = p.next() {
			p.pos++
		}
		n, err := strconv.Atoi(p.src[from:p.pos])
		return n, err == nil && n <= maxCount
	}
	lo, ok := number()
	hi = lo
	if ok && p.accept(",") {
		hi = Unbounded
		if p.next() != '}' {
			hi, ok = number()
		}
	}
	if !ok || !p.accept("}") || hi != Unbounded && hi < lo {
		return 0, 0, p.errorf(start, "want {m}, {m,} or {m,n} with m up to n up to 1e9; write \\{ for the character")
	}
	return lo, hi, nil
}

// atom parses what can be repeated.
func (p *patternParser) atom() (*patternNode, error) {
	start := p.pos
	r, size := utf8.DecodeRuneInString(p.rest())
	p.pos += size
	switch r {
	case '(':
		return p.group()
	case '[':
		return p.class()
	case '.':
		return &patternNode{runes: complement(lineEnds)}, nil
	case '\\':
		runes, _, err := p.escape(false)
		if err != nil {
			return nil, err
		}
		return &patternNode{runes: runes}, nil
	case '*', '+', '?', '{':
		return nil, p.errorf(start, "nothing to repeat")
	case ']', '}':
		return nil, p.errorf(start, "write \\"+string(r)+" for the character")
	}
	return &patternNode{runes: []Range{{r, r}}}, nil
}

// group parses what follows a (.
func (p *patternParser) group() (*patternNode, error) {
	start := p.pos - 1
	var ahead *patternNode
	if p.depth++; p.depth > maxPatternDepth {
		return nil, p.errorf(start, "groups nest too deeply")
	}
	switch {
	case p.accept("?:"):
	case p.accept("?="), p.accept("?!"):
		if p.aheads++; p.aheads == 1 {
			p.firstAhead = start
		}
		ahead = &patternNode{op: patternAhead}
		if p.src[p.pos-1] == '=' {
			ahead.lo = 1
		}
	case p.accept("?<="), p.accept("?<!"):
		return nil, p.errorf(start, "look-around is not supported")
	case p.accept("?<"):
		for c := p.next(); c < utf8.RuneSelf && isNameByte(byte(c)) && c != '-' || c == '_'; c = p.next() {
			p.pos++
		}
		if !p.accept(">") {
			return nil, p.errorf(start, "a group's name is made of ASCII letters, digits and _ here")
		}
	case p.accept("?"):
		return nil, p.errorf(start, "this kind of group is not supported")
	}
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.errorf(start, "missing )")
	}
	p.depth--
	if ahead != nil {
		ahead.sub = []*patternNode{n}
		return ahead, nil
	}
	return n, nil
}

// class parses what follows a [.
func (p *patternParser) class() (*patternNode, error) {
	start := p.pos - 1
	negate := p.accept("^")
	var ranges []Range
	for !p.accept("]") {
		if p.rest() == "" {
			return nil, p.errorf(start, "missing ]")
		}
		at := p.pos
		lo, single, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(p.rest(), "-") || strings.HasPrefix(p.rest(), "-]") {
			ranges = append(ranges, lo...)
			continue
		}
		p.pos++
		hi, alsoSingle, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if !single || !alsoSingle || hi[0].Hi < lo[0].Lo {
			return nil, p.errorf(at, "want a range from one character to a later one; write \\- for the character")
		}
		ranges = append(ranges, Range{lo[0].Lo, hi[0].Hi})
	}
	if len(ranges) > 0 {
		ranges = mergeRanges(ranges)
	}
	if negate {
		ranges = complement(ranges)
	}
	if len(ranges) == 0 {
		return nil, p.errorf(start, "the class matches nothing")
	}
	return &patternNode{runes: ranges}, nil
}

// classAtom parses a character or an escape in a class, and reports whether it is single:
// can begin or end a range.
func (p *patternParser) classAtom() (runes []Range, single bool, err error) {
	if p.rest() == "" {
		return nil, false, p.errorf(p.pos, "missing ]")
	}
	r, size := utf8.DecodeRuneInString(p.rest())
	p.pos += size
	if r == '\\' {
		return p.escape(true)
	}
	return []Range{{r, r}}, true, nil
}

var (
	lineEnds   = []Range{{'\n', '\n'}, {'\r', '\r'}, {'\u2028', '\u2029'}}
	digitRunes = []Range{{'0', '9'}}
	wordRunes  = []Range{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	// spaceRunes are WhiteSpace and LineTerminator of ECMA-262.
	spaceRunes = []Range{{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029},
		{0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}}
)

// escape parses what follows a \, and reports whether it is single: one character, not a
// class.
func (p *patternParser) escape(inClass bool) (runes []Range, single bool, err error) {
	start := p.pos - 1
	if p.rest() == "" {
		return nil, false, p.errorf(start, "\\ at the end")
	}
	r, size := utf8.DecodeRuneInString(p.rest())
	p.pos += size
	one := func(r rune) ([]Range, bool, error) { return []Range{{r, r}}, true, nil }
	switch r {
	case 'd':
		return slices.Clone(digitRunes), false, nil
	case 'D':
		return complement(digitRunes), false, nil
	case 'w':
		return slices.Clone(wordRunes), false, nil
	case 'W':
		return complement(wordRunes), false, nil
	case 's':
		return slices.Clone(spaceRunes), false, nil
	case 'S':
		return complement(spaceRunes), false, nil
	case 't':
		return one('\t')
	case 'n':
		return one('\n')
	case 'v':
		return one('\v')
	case 'f':
		return one('\f')
	case 'r':
		return one('\r')
	case 'b':
		if inClass {
			return one('\b')
		}
		return nil, false, p.errorf(start, "word boundaries are not supported")
	case '0':
		if c := p.next(); c < '0' || '9' < c {
			return one(0)
		}
	case 'c':
		if c := p.next() | 0x20; 'a' <= c && c <= 'z' {
			p.pos++
			return one(c & 0x1F)
		}
	case 'x', 'u':
		if r, ok := p.hexEscape(r); ok {
			return one(r)
		}
	case 'k', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return nil, false, p.errorf(start, "references to groups are not supported")
	case 'p', 'P':
		return nil, false, p.errorf(start, "properties of characters are not supported; list them in a class")
	default:
		if strings.ContainsRune("^$\\.*+?()[]{}|/-!\"#%&',:;<=>@`~ ", r) {
			return one(r)
		}
	}
	return nil, false, p.errorf(start, "unknown escape")
}

// hexEscape parses what follows \x or \u.
func (p *patternParser) hexEscape(kind rune) (r rune, ok bool) {
	hex := func(n int) bool {
		if n < 1 || n > len(p.rest()) {
			return false
		}
		v, err := strconv.ParseUint(p.rest()[:n], 16, 32)
		p.pos += n
		r = rune(v)
		return err == nil && v <= utf8.MaxRune
	}
	switch {
	case kind == 'x':
		ok = hex(2)
		return r, ok
	case p.accept("{"):
		ok = hex(strings.IndexByte(p.rest(), '}')) && p.accept("}")
		return r, ok && utf8.ValidRune(r)
	case !hex(4):
		return 0, false
	}
	if lead := r; 0xD800 <= lead && lead < 0xDC00 {
		ok = p.accept(`\u`) && hex(4) && 0xDC00 <= r && r < 0xE000
		return 0x10000 + (lead-0xD800)<<10 + (r - 0xDC00), ok
	}
	return r, utf8.ValidRune(r)
}
