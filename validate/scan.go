package validate

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json/jsontext"
)

// scanner reads records without a fault in one pass, which is several times as
// fast as [decoder]. It knows nothing of faults: whatever it does not take as a
// record, the decoder takes or says what is wrong with it.
type scanner struct {
	src string // UTF-8
	at  int
	tax *dataset.Taxonomy
}

// scan reads a record from a line of UTF-8, whose memory the record's strings
// share. Where ok is false the record holds something or other.
func scan(line string, r *dataset.Record, tax *dataset.Taxonomy) (ok bool) {
	s := scanner{src: line, tax: tax}
	return s.record(r) && s.skipSpace() == len(line)
}

// scanInto is scan with a record whose slices are used again, and a line of any bytes.
func scanInto(r *dataset.Record, line []byte, tax *dataset.Taxonomy) bool {
	reuse(r)
	return utf8.Valid(line) && scan(string(line), r, tax)
}

func (s *scanner) record(r *dataset.Record) bool {
	return s.object(recordKeys, func(key int) bool {
		switch key {
		case 0:
			return s.string(&r.SrcID)
		case 1:
			return s.string(&r.Model)
		case 2:
			return s.string(&r.Provider)
		case 3:
			return s.string(&r.Prompt)
		case 4:
			return s.string(&r.Level)
		case 5:
			return s.strings(&r.Predictions)
		case 6:
			return s.string(&r.Text)
		}
		return s.data(&r.Data)
	})
}

func (s *scanner) data(d *dataset.Data) bool {
	return s.object(dataKeys, func(key int) bool {
		switch key {
		case 0:
			return s.strings(&d.Tokens)
		case 1:
			return s.strings(&d.Labels)
		}
		return s.array(func() bool {
			d.Spans = append(d.Spans, dataset.Span{})
			return s.span(&d.Spans[len(d.Spans)-1])
		})
	})
}

func (s *scanner) span(span *dataset.Span) bool {
	return s.object(spanKeys, func(key int) bool {
		switch key {
		case 0:
			return s.string(&span.Type)
		case 1:
			return s.string(&span.Subtype)
		case 2:
			return s.int(&span.Start)
		case 3:
			return s.int(&span.End)
		case 4:
			return s.string(&span.Text)
		}
		return s.attrs(&span.Attrs)
	})
}

func (s *scanner) attrs(a *dataset.Attrs) bool {
	a.Further = further(s.tax)
	return s.object(s.tax.AttrKeys(), func(key int) bool {
		switch key {
		case 0:
			return s.string(&a.Valence)
		case 1:
			return s.string(&a.Intensity)
		case 2:
			return s.string(&a.Certainty)
		case 3:
			return s.string(&a.Temporality)
		case 4:
			return s.string(&a.Source)
		case 5:
			return s.string(&a.EmotionGroup)
		case 6:
			return s.int(&a.SentenceIndex)
		case 7:
			return s.int(&a.ClauseIndex)
		case 8:
			return s.float(&a.Confidence)
		case 9:
			return s.string(&a.TargetText)
		case 10:
			return s.string(&a.TargetRelation)
		}
		return s.string(&a.Further[key-ownAttrs].Value)
	})
}

// object takes one that has each of the keys once, in any order.
func (s *scanner) object(keys []string, value func(key int) bool) bool {
	if !s.byte('{') {
		return false
	}
	var seen uint64 // bit i for keys[i]
	for next := range keys {
		if next > 0 && !s.byte(',') {
			return false
		}
		key := s.key(keys, next)
		if key < 0 || seen&(1<<key) != 0 || !s.byte(':') || !value(key) {
			return false
		}
		seen |= 1 << key
	}
	return s.byte('}')
}

// key takes a key, most likely the next one, and returns its place among keys, -1 for another.
func (s *scanner) key(keys []string, next int) int {
	start := s.skipSpace()
	if end := start + len(keys[next]) + 2; end <= len(s.src) && s.src[start] == '"' && s.src[end-1] == '"' && s.src[start+1:end-1] == keys[next] {
		s.at = end
		return next
	}
	var name string
	if !s.string(&name) {
		return -1
	}
	return slices.Index(keys, name)
}

func (s *scanner) array(element func() bool) bool {
	if !s.byte('[') {
		return false
	}
	if s.byte(']') {
		return true
	}
	for element() {
		if !s.byte(',') {
			return s.byte(']')
		}
	}
	return false
}

func (s *scanner) strings(list *[]string) bool {
	return s.array(func() bool {
		*list = append(*list, "")
		return s.string(&(*list)[len(*list)-1])
	})
}

// plain are the bytes that stand for themselves in a string, of UTF-8 known to be valid.
var plain = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return set
}()

func (s *scanner) string(value *string) bool {
	if !s.byte('"') {
		return false
	}
	start, end := s.at, s.at
	for end < len(s.src) && plain[s.src[end]] {
		end++
	}
	if end == len(s.src) {
		return false
	}
	if s.src[end] == '"' {
		*value, s.at = s.src[start:end], end+1
		return true
	}
	for end < len(s.src) && s.src[end] != '"' {
		if s.src[end] == '\\' {
			end++ // what is escaped, be it a quotation mark
		}
		end++
	}
	if end >= len(s.src) {
		return false
	}
	text, err := jsontext.AppendUnquote(nil, s.src[start-1:end+1])
	*value, s.at = string(text), end+1
	return err == nil
}

// int takes an integer of up to nine digits.
func (s *scanner) int(value *int) bool {
	start := s.skipSpace()
	end, digits := s.digits(s.sign(start))
	if digits == 0 || digits > 9 || end < len(s.src) && (s.src[end] == '.' || s.src[end]|0x20 == 'e') {
		return false
	}
	n, err := strconv.Atoi(s.src[start:end])
	*value, s.at = n, end
	return err == nil
}

// float takes a number without an exponent.
func (s *scanner) float(value *float64) bool {
	start := s.skipSpace()
	end, digits := s.digits(s.sign(start))
	if digits == 0 {
		return false
	}
	if end < len(s.src) && s.src[end] == '.' {
		first := end + 1
		for end = first; end < len(s.src) && isDigit(s.src[end]); end++ {
		}
		if end == first {
			return false
		}
	}
	if end < len(s.src) && s.src[end]|0x20 == 'e' {
		return false
	}
	f, err := strconv.ParseFloat(s.src[start:end], 64)
	*value, s.at = f, end
	return err == nil
}

func (s *scanner) sign(at int) int {
	if at < len(s.src) && s.src[at] == '-' {
		at++
	}
	return at
}

// digits passes over a number's whole part; there are none where it begins with a zero too many.
func (s *scanner) digits(at int) (end, n int) {
	for end = at; end < len(s.src) && isDigit(s.src[end]); end++ {
	}
	if end-at > 1 && s.src[at] == '0' {
		return end, 0
	}
	return end, end - at
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// byte takes c where it is next, behind white space.
func (s *scanner) byte(c byte) bool {
	at := s.skipSpace()
	if at < len(s.src) && s.src[at] == c {
		s.at = at + 1
		return true
	}
	return false
}

// skipSpace passes over white space and returns where it ends.
func (s *scanner) skipSpace() int {
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return s.at
		}
	}
	return s.at
}
