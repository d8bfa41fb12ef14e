package grammar

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

const (
	maxBoundDigits = 40 // before and after the point of a bound
	integerDigits  = 15 // of an integer without a bound
	numberDigits   = 9  // before the point of a number with a bound, where it has as many after it as any
	fractionDigits = 6  // after the point of a number with a bound
	longFraction   = 17 // after the point of a number without
	significant    = 15 // digits of a decimal that a float64 keeps
	maxDecimalExp  = 1 << 40
)

// decimal is digits·10^exp, negated if neg. digits neither begins nor ends with 0; of zero
// it is empty, and exp 0.
type decimal struct {
	neg    bool
	digits string
	exp    int
}

// parseDecimal reads a JSON number. An exponent is cut to ±2^40.
func parseDecimal(text string) decimal {
	var d decimal
	text, d.neg = strings.CutPrefix(text, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	if exponent != "" {
		// Out of range, Atoi returns the nearest int.
		d.exp, _ = strconv.Atoi(exponent)
		d.exp = min(max(d.exp, -maxDecimalExp), maxDecimalExp)
	}
	d.exp += len(digits) - len(d.digits) - len(fraction)
	return d
}

// String returns a spelling that equal numbers have in common.
func (d decimal) String() string {
	sign := ""
	if d.neg {
		sign = "-"
	}
	return sign + d.digits + "e" + strconv.Itoa(d.exp)
}

// scaled returns the greatest integer up to d·10^places, and whether it is that.
func (d decimal) scaled(places int) (n *big.Int, exact bool) {
	n, _ = new(big.Int).SetString("0"+d.digits, 10)
	if d.neg {
		n.Neg(n)
	}
	if places += d.exp; places >= 0 {
		return n.Mul(n, pow10(places)), true
	}
	var rest big.Int
	n.DivMod(n, pow10(-places), &rest)
	return n, rest.Sign() == 0
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// bound is a minimum or maximum.
type bound struct {
	at               *jsonValue
	value            decimal
	upper, exclusive bool
}

// interval returns the least and the greatest integer n for which n·10^-places satisfies
// the bounds, nil on a side without one.
func interval(bounds []bound, places int) (lo, hi *big.Int) {
	for _, b := range bounds {
		n, exact := b.value.scaled(places)
		switch {
		case b.upper:
			if exact && b.exclusive {
				n.Sub(n, big.NewInt(1))
			}
			if hi == nil || n.Cmp(hi) < 0 {
				hi = n
			}
		default:
			if !exact || b.exclusive {
				n.Add(n, big.NewInt(1))
			}
			if lo == nil || n.Cmp(lo) > 0 {
				lo = n
			}
		}
	}
	return lo, hi
}

// limit replaces a bound that is missing by one with digits digits, or with as many as the
// other has, if it is beyond that.
func limit(lo, hi *big.Int, digits int) (*big.Int, *big.Int) {
	if hi == nil {
		if lo != nil && lo.Sign() > 0 {
			digits = max(digits, len(lo.String()))
		}
		hi = pow10(digits)
		hi.Sub(hi, big.NewInt(1))
	}
	if lo == nil {
		if hi.Sign() < 0 {
			digits = max(digits, len(hi.String())-1)
		}
		lo = pow10(digits)
		lo.Sub(big.NewInt(1), lo)
	}
	return lo, hi
}

// emptyInterval reports whether no number, or no integer, is within the bounds.
func emptyInterval(bounds []bound, integers bool) bool {
	places := 0
	if !integers {
		for _, b := range bounds {
			places = max(places, min(1+max(0, -b.value.exp), maxBoundDigits+1))
		}
	}
	for _, b := range bounds {
		if len(b.value.digits)+b.value.exp > maxBoundDigits {
			return false
		}
	}
	lo, hi := interval(bounds, places)
	return lo != nil && hi != nil && lo.Cmp(hi) > 0
}

// cmp compares numbers.
func (d decimal) cmp(e decimal) int {
	sign := func(d decimal) int {
		switch {
		case d.digits == "":
			return 0
		case d.neg:
			return -1
		}
		return 1
	}
	if a, b := sign(d), sign(e); a != b || a == 0 {
		return a - b
	}
	c := cmp.Or(cmp.Compare(len(d.digits)+d.exp, len(e.digits)+e.exp), strings.Compare(d.digits, e.digits))
	if d.neg {
		return -c
	}
	return c
}

// allows reports whether d satisfies the bound.
func (b bound) allows(d decimal) bool {
	c := d.cmp(b.value)
	if b.upper {
		c = -c
	}
	return c > 0 || c == 0 && !b.exclusive
}

// anyNumber returns an expression for numbers without bounds.
func anyNumber() *Expr {
	whole := concat(class(Range{'1', '9'}), digits(0, integerDigits-1), optional(concat(literal("."), digits(1, longFraction))))
	small := concat(digits(1, longFraction))
	nonzero := concat(repeat(literal("0"), 0, longFraction-1), class(Range{'1', '9'}), digits(0, longFraction-1))
	// With 15 digits before the point, the largest is a float64 still.
	power := concat(class(Range{'E', 'E'}, Range{'e', 'e'}), optional(class(Range{'+', '+'}, Range{'-', '-'})), alternate(
		digits(1, 2), concat(literal("1"), digits(2, 2)), concat(literal("2"), class(Range{'0', '8'}), digits(1, 1))))
	return alternate(
		literal("0"),
		concat(optional(literal("-")), whole, optional(power)),
		concat(literal("0."), small, optional(power)),
		concat(literal("-0."), nonzero, optional(power)))
}

// integer returns an expression for the integers within bounds, nil if there are none.
func integer(bounds []bound) *Expr {
	lo, hi := interval(bounds, 0)
	lo, hi = limit(lo, hi, integerDigits)
	return signed(lo, hi, naturals)
}

// number returns an expression for the numbers within bounds, nil if there are none with
// as many digits as it generates.
func number(bounds []bound) *Expr {
	places := 0
	for _, b := range bounds {
		places = max(places, 1+max(0, -b.value.exp))
	}
	lo, hi := interval(bounds, 0)
	lo, hi = limit(lo, hi, numberDigits)
	whole := max(len(new(big.Int).Abs(lo).String()), len(new(big.Int).Abs(hi).String()))
	if places = max(places, min(fractionDigits, significant-whole)); places == 1 && whole > significant {
		places = 0 // a float64 may round a fraction past bounds as large
	}

	// A side without a bound goes as far as its digits: to 999.999, not to 999.
	one, unit := pow10(places), big.NewInt(1)
	first, last := interval(bounds, places)
	first0, last0 := first, last
	if first == nil {
		first = new(big.Int).Sub(lo, unit)
		first.Mul(first, one).Add(first, unit)
	}
	if last == nil {
		last = new(big.Int).Add(hi, unit)
		last.Mul(last, one).Sub(last, unit)
	}
	e := signed(first, last, func(lo, hi *big.Int) *Expr { return decimals(lo, hi, places) })
	if e == nil {
		return nil
	}
	items := []*Expr{e}
	for _, side := range []struct {
		bounded, end *big.Int
		sign         string
	}{{last0, hi, ""}, {first0, lo, "-"}} {
		n := len(new(big.Int).Abs(side.end).String())
		if side.bounded == nil && n < integerDigits {
			items = append(items, concat(literal(side.sign), class(Range{'1', '9'}), digits(n, integerDigits-1), optional(concat(literal("."), digits(1, fractionDigits)))))
		}
	}
	return alternate(items...)
}

// maxMultiple is the largest multipleOf.
const maxMultiple = 1000

// multiplesOf returns a machine that accepts the integers that n divides.
func multiplesOf(n int) *runeMachine {
	m := &runeMachine{accept: n + 1} // a state for each remainder, but the first for no digit yet
	m.states = make([]runeState, n+2)
	remainder := func(r int) int { return r + 1 }
	for d := range 10 {
		digit := []Range{{'0' + rune(d), '0' + rune(d)}}
		m.edge(0, digit, remainder(d%n))
		for r := range n {
			m.edge(remainder(r), digit, remainder((10*r+d)%n))
		}
	}
	m.edge(0, []Range{{'-', '-'}}, 0)
	m.states[remainder(0)].empty = []int{m.accept}
	return m
}

// signed returns an expression for the integers lo to hi, given one for those from 0.
func signed(lo, hi *big.Int, unsigned func(lo, hi *big.Int) *Expr) *Expr {
	var items []*Expr
	if hi.Sign() >= 0 {
		from := lo
		if lo.Sign() < 0 {
			from = new(big.Int)
		}
		if from.Cmp(hi) <= 0 {
			items = append(items, unsigned(from, hi))
		}
	}
	if lo.Sign() < 0 {
		from := big.NewInt(1)
		if hi.Sign() < 0 {
			from = new(big.Int).Neg(hi)
		}
		if to := new(big.Int).Neg(lo); from.Cmp(to) <= 0 {
			items = append(items, concat(literal("-"), unsigned(from, to)))
		}
	}
	if len(items) == 0 {
		return nil
	}
	return alternate(items...)
}

// naturals returns an expression for lo to hi, where 0 <= lo <= hi, without leading zeros.
func naturals(lo, hi *big.Int) *Expr {
	a, b := lo.String(), hi.String()
	if len(a) == len(b) {
		return digitRange(a, b)
	}
	if a == "0" {
		return alternate(literal("0"), naturals(big.NewInt(1), hi))
	}
	var items []*Expr
	from, to := len(a), len(b) // the lengths of which every number is in the range
	if a[0] != '1' || !isAll(a[1:], '0') {
		items = append(items, digitRange(a, strings.Repeat("9", len(a))))
		from++
	}
	if !isAll(b, '9') {
		to--
	}
	if from <= to {
		items = append(items, concat(class(Range{'1', '9'}), digits(from-1, to-1)))
	}
	if to < len(b) {
		items = append(items, digitRange("1"+strings.Repeat("0", len(b)-1), b))
	}
	return alternate(items...)
}

// digits returns an expression for lo to hi decimal digits.
func digits(lo, hi int) *Expr { return repeat(class(Range{'0', '9'}), lo, hi) }

func digit(lo, hi byte) *Expr {
	if lo == hi {
		return literal(string(lo))
	}
	return class(Range{rune(lo), rune(hi)})
}

// digitRange returns an expression for the strings of digits from a to b, which are of one
// length.
func digitRange(a, b string) *Expr {
	if isAll(a, '0') && isAll(b, '9') {
		return digits(len(a), len(a))
	}
	return splitRange(a, b, digitRange)
}

// isAll reports whether s has no byte but c.
func isAll(s string, c byte) bool { return strings.Count(s, string(c)) == len(s) }

// splitRange splits the strings of digits from a to b, which are of one length, by their
// first digit. tail is given what may follow: all, or a range from or up to a bound.
func splitRange(a, b string, tail func(a, b string) *Expr) *Expr {
	if a == "" {
		return literal("")
	}
	if a[0] == b[0] {
		return concat(literal(a[:1]), tail(a[1:], b[1:]))
	}
	zeros, nines := strings.Repeat("0", len(a)-1), strings.Repeat("9", len(a)-1)
	lo, hi := a[0], b[0]
	var first, middle, last []*Expr
	if a[1:] != zeros {
		first = append(first, concat(digit(lo, lo), tail(a[1:], nines)))
		lo++
	}
	if b[1:] != nines {
		last = append(last, concat(digit(hi, hi), tail(zeros, b[1:])))
		hi--
	}
	if lo <= hi {
		middle = append(middle, concat(digit(lo, hi), tail(zeros, nines)))
	}
	return alternate(append(append(first, middle...), last...)...)
}

// decimals returns an expression for lo to hi in units of 10^-places, where 0 <= lo <= hi,
// with at most that many digits after the point.
func decimals(lo, hi *big.Int, places int) *Expr {
	var loFrac, hiFrac big.Int
	loInt, _ := new(big.Int).DivMod(lo, pow10(places), &loFrac)
	hiInt, _ := new(big.Int).DivMod(hi, pow10(places), &hiFrac)
	text := func(n *big.Int) string {
		s := n.String()
		return strings.Repeat("0", places-len(s)) + s
	}
	if places == 0 {
		return naturals(lo, hi)
	}
	a, b := text(&loFrac), text(&hiFrac)
	if loInt.Cmp(hiInt) == 0 {
		return concat(naturals(loInt, loInt), fraction(a, b))
	}
	zeros, nines := strings.Repeat("0", places), strings.Repeat("9", places)
	var items []*Expr
	if a != zeros {
		items = append(items, concat(naturals(loInt, loInt), fraction(a, nines)))
		loInt.Add(loInt, big.NewInt(1))
	}
	var last []*Expr
	if b != nines {
		last = append(last, concat(naturals(hiInt, hiInt), fraction(zeros, b)))
		hiInt.Sub(hiInt, big.NewInt(1))
	}
	if loInt.Cmp(hiInt) <= 0 {
		items = append(items, concat(naturals(loInt, hiInt), fraction(zeros, nines)))
	}
	return alternate(append(items, last...)...)
}

// fraction returns an expression for a point and digits, from a to b where those left out
// at the end are 0, and for nothing if a is 0.
func fraction(a, b string) *Expr {
	e := concat(literal("."), fractionRange(a, b))
	if isAll(a, '0') {
		return optional(e)
	}
	return e
}

// fractionRange returns an expression for one digit or more, from a to b where those left
// out at the end are 0.
func fractionRange(a, b string) *Expr {
	if isAll(a, '0') && isAll(b, '9') {
		return digits(1, len(a))
	}
	if isAll(b, '0') {
		return repeat(literal("0"), 1, len(b))
	}
	return splitRange(a, b, func(a, b string) *Expr {
		if a != "" && isAll(a, '0') {
			return optional(fractionRange(a, b))
		}
		return fractionRange(a, b)
	})
}
