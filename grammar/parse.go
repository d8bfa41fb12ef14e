package grammar

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxSource  = 1 << 20 // bytes of grammar text
	maxNesting = 1000    // height of an expression tree
	maxRounds  = 1e9     // either bound of a repetition
)

// Parse parses and checks a grammar. The error is an *Error.
func Parse(src string) (*Syntax, error) { return parse(src, nil) }

// parse parses a grammar in which the rules called holes are not defined. They become the
// last of the rules, each an OpHole.
func parse(src string, holes []string) (*Syntax, error) {
	if len(src) > maxSource {
		return nil, newError(ErrSourceSize, "", 0, "", "")
	}
	p := &parser{src: src, syntax: &Syntax{src: src, byName: map[string]int{}}}
	if i := invalidUTF8(src); i >= 0 {
		return nil, p.fail(ErrInvalidUTF8, i, src[i:i+1])
	}
	p.space(true)
	for p.pos < len(src) {
		if err := p.parseRule(); err != nil {
			return nil, err
		}
	}
	for _, name := range holes {
		if i, ok := p.syntax.byName[name]; ok {
			return nil, newError(ErrHoleDefined, src, p.syntax.Rules[i].off, name, "")
		}
		p.syntax.byName[name] = len(p.syntax.Rules)
		p.syntax.Rules = append(p.syntax.Rules, &Rule{Name: name, Expr: &Expr{Op: OpHole, Text: name}})
	}
	if err := check(p.syntax, p.refs); err != nil {
		return nil, err
	}
	return p.syntax, nil
}

type parser struct {
	src    string
	pos    int
	depth  int    // of open groups
	rule   string // being defined
	refs   []reference
	syntax *Syntax
}

// reference is a use of a rule. Those of a definition that a later one replaces count too.
type reference struct {
	in   string
	expr *Expr
}

// invalidUTF8 returns the offset of the first byte of s that is not well-formed, or -1.
func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

func (p *parser) fail(code ErrorCode, off int, text string) error {
	return newError(code, p.src, off, p.rule, text)
}

// unexpected reports what stands at the current position.
func (p *parser) unexpected(code ErrorCode) error {
	return p.fail(code, p.pos, snippet(p.src, p.pos))
}

// Characters other than letters and digits that people write in names: where a rule is
// defined, and where it is used. There . and < begin the next item.
const (
	namedWith = "-_.:/@$%&<>"
	usedWith  = "-_:/@$%&"
)

// badName returns the word at off, of letters, digits and the others, if it is no name.
func (p *parser) badName(off int, others string) string {
	word := p.src[off:]
	name := 0
	for name < len(word) && isNameByte(word[name]) {
		name++
	}
	if name == len(word) || word[name] < utf8.RuneSelf && strings.IndexByte(others, word[name]) < 0 {
		return ""
	}
	end := strings.IndexFunc(word, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune(others, r)
	})
	if end >= 0 {
		word = word[:end]
	}
	if strings.HasPrefix(p.src[off+len(word):], "=") {
		word = strings.TrimSuffix(word, "::")
	}
	for i := range len(word) {
		if !isNameByte(word[i]) {
			return word
		}
	}
	return ""
}

// peek returns the byte at the current position, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// space skips blanks and comments, and line ends if newlines.
func (p *parser) space(newlines bool) {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == ' ', c == '\t', newlines && (c == '\r' || c == '\n'):
			p.pos++
		case c == '#':
			if i := strings.IndexAny(p.src[p.pos:], "\r\n"); i >= 0 {
				p.pos += i
			} else {
				p.pos = len(p.src)
			}
		default:
			return
		}
	}
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || isDigit(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// name consumes a rule name, which may be empty.
func (p *parser) name() string {
	start := p.pos
	for isNameByte(p.peek()) {
		p.pos++
	}
	return p.src[start:p.pos]
}

// definesAt reports whether ::= stands at off, but for blanks.
func (p *parser) definesAt(off int) bool {
	return strings.HasPrefix(strings.TrimLeft(p.src[off:], " \t"), "::=")
}

func (p *parser) parseRule() error {
	p.rule = ""
	off := p.pos
	if word := p.badName(off, namedWith); word != "" && p.definesAt(off+len(word)) {
		return p.fail(ErrInvalidName, off, snippet(word, 0))
	}
	name := p.name()
	if name == "" {
		return p.unexpected(ErrUnexpected)
	}
	p.rule = name
	p.space(false)
	if !strings.HasPrefix(p.src[p.pos:], "::=") {
		return p.unexpected(ErrMissingDefine)
	}
	p.pos += len("::=")
	p.space(true)
	expr, err := p.parseAlternates(false)
	if err != nil {
		return err
	}
	if c := p.peek(); c != '\n' && c != '\r' && p.pos < len(p.src) {
		return p.unexpected(ErrUnexpected)
	}
	p.space(true)

	rule := &Rule{Name: name, Expr: expr, off: off}
	if i, ok := p.syntax.byName[name]; ok {
		p.syntax.Rules[i] = rule // the last definition counts
		return nil
	}
	p.syntax.byName[name] = len(p.syntax.Rules)
	p.syntax.Rules = append(p.syntax.Rules, rule)
	return nil
}

func (p *parser) parseAlternates(nested bool) (*Expr, error) {
	off := p.pos
	first, err := p.parseSequence(nested)
	if err != nil {
		return nil, err
	}
	subs := []*Expr{first}
	for p.peek() == '|' {
		p.pos++
		p.space(true)
		sub, err := p.parseSequence(nested)
		if err != nil {
			return nil, err
		}
		subs = append(subs, sub)
	}
	if len(subs) == 1 {
		return first, nil
	}
	return p.combine(&Expr{Op: OpAlternate, Sub: subs, off: off})
}

// combine returns e, a node with children, if it is not too high.
func (p *parser) combine(e *Expr) (*Expr, error) {
	for _, sub := range e.Sub {
		e.height = max(e.height, sub.height+1)
	}
	if e.height > maxNesting {
		return nil, p.fail(ErrNesting, e.off, snippet(p.src, e.off))
	}
	return e, nil
}

// parseSequence parses items up to something that is none. nested is true inside a
// group, where line ends are blanks.
func (p *parser) parseSequence(nested bool) (*Expr, error) {
	start := p.pos
	var items []*Expr
	repeatable := false // whether the last thing parsed left an item to repeat
	for {
		c := p.peek()
		if !strings.ContainsRune(`"[<!(.*+?{`, rune(c)) && !isNameByte(c) {
			if word := p.badName(p.pos, usedWith); word != "" {
				return nil, p.fail(ErrInvalidName, p.pos, snippet(word, 0))
			}
			break
		}
		off := p.pos
		switch c {
		case '*', '+', '?', '{':
			lo, hi, err := p.parseRepeat(nested)
			if err != nil {
				return nil, err
			}
			if !repeatable {
				return nil, p.fail(ErrMissingItem, off, snippet(p.src, off))
			}
			last := items[len(items)-1]
			items = items[:len(items)-1]
			repeatable = hi != 0
			if !repeatable {
				break
			}
			e, err := p.combine(&Expr{Op: OpRepeat, Min: lo, Max: hi, Sub: []*Expr{last}, off: last.off})
			if err != nil {
				return nil, err
			}
			items = append(items, e)
		default:
			item, err := p.parseItem(nested)
			if err != nil {
				return nil, err
			}
			repeatable = item != nil
			if repeatable {
				items = append(items, item)
			}
		}
		p.space(nested)
	}
	switch len(items) {
	case 0:
		return &Expr{Op: OpEmpty, off: start}, nil
	case 1:
		return items[0], nil
	}
	return p.combine(&Expr{Op: OpConcat, Sub: items, off: start})
}

// parseItem parses one item without repetition operators. It returns nil for "", [] and
// [^], which match the empty string and cannot be repeated.
func (p *parser) parseItem(nested bool) (*Expr, error) {
	off := p.pos
	switch p.peek() {
	case '"':
		return p.parseLiteral()
	case '[':
		return p.parseClass()
	case '<', '!':
		return p.parseToken()
	case '.':
		p.pos++
		return &Expr{Op: OpAny, off: off}, nil
	case '(':
		return p.parseGroup()
	}
	if word := p.badName(off, usedWith); word != "" {
		return nil, p.fail(ErrInvalidName, off, snippet(word, 0))
	}
	e := &Expr{Op: OpRule, Text: p.name(), off: off}
	p.refs = append(p.refs, reference{in: p.rule, expr: e})
	return e, nil
}

func (p *parser) parseGroup() (*Expr, error) {
	off := p.pos
	if p.depth == maxNesting {
		return nil, p.unexpected(ErrNesting)
	}
	p.depth++
	defer func() { p.depth-- }()
	p.pos++
	p.space(true)
	e, err := p.parseAlternates(true)
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		if p.pos == len(p.src) {
			return nil, p.fail(ErrMissingParen, off, snippet(p.src, off))
		}
		return nil, p.unexpected(ErrMissingParen)
	}
	p.pos++
	return e, nil
}

// number consumes decimal digits. It fails if there are none or the value exceeds limit.
func (p *parser) number(limit int) (n int, ok bool) {
	start := p.pos
	ok = true
	for isDigit(p.peek()) {
		if ok {
			n = n*10 + int(p.peek()-'0')
			ok = n <= limit
		}
		p.pos++
	}
	return n, ok && p.pos > start
}

// parseRepeat parses a repetition operator. The upper bound may be Unbounded.
func (p *parser) parseRepeat(nested bool) (lo, hi int, err error) {
	off := p.pos
	p.pos++
	switch p.src[off] {
	case '*':
		return 0, Unbounded, nil
	case '+':
		return 1, Unbounded, nil
	case '?':
		return 0, 1, nil
	}
	bad := func(code ErrorCode) (int, int, error) {
		return 0, 0, p.fail(code, off, snippet(p.src, off))
	}
	p.space(nested)
	if !isDigit(p.peek()) {
		return bad(ErrInvalidRepeat)
	}
	lo, ok := p.number(maxRounds)
	if !ok {
		return bad(ErrRepeatSize)
	}
	hi = lo
	p.space(nested)
	if p.peek() == ',' {
		p.pos++
		p.space(nested)
		hi = Unbounded
		if isDigit(p.peek()) {
			if hi, ok = p.number(maxRounds); !ok {
				return bad(ErrRepeatSize)
			}
			p.space(nested)
		}
	}
	if p.peek() != '}' || hi != Unbounded && hi < lo {
		return bad(ErrInvalidRepeat)
	}
	p.pos++
	return lo, hi, nil
}
