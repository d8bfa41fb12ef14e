package validate

import (
	"bytes"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// node is one JSON value of a line that is to be given another shape. An
// object's members keep their order.
type node struct {
	kind  jsontext.Kind
	text  string   // a string's value, a scalar's JSON
	keys  []string // of an object's elems
	elems []*node
}

// parseNode reads a line that is one JSON value, without a name twice in any
// object, nested no deeper than maxDepth.
func parseNode(line []byte) (*node, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(line))
	slab := make([]node, 0, 256)
	n, err := readNode(d, &slab)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errNotOne
	}
	return n, nil
}

// readNode takes nodes from a slab, which is replaced where it is used up.
func readNode(d *jsontext.Decoder, slab *[]node) (*node, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if len(*slab) == cap(*slab) {
		*slab = make([]node, 0, 256)
	}
	*slab = append(*slab, node{kind: tok.Kind()})
	n := &(*slab)[len(*slab)-1]
	switch n.kind {
	case '{', '[':
		if d.StackDepth() > maxDepth {
			return nil, errTooDeep
		}
		end := n.kind + 2 // the brackets' places in ASCII
		for d.PeekKind() != end {
			if n.kind == '{' {
				name, err := d.ReadToken()
				if err != nil {
					return nil, err
				}
				n.keys = append(n.keys, name.String())
			}
			elem, err := readNode(d, slab)
			if err != nil {
				return nil, err
			}
			n.elems = append(n.elems, elem)
		}
		_, err = d.ReadToken()
	default:
		n.text = tok.String()
	}
	return n, err
}

func stringNode(s string) *node   { return &node{kind: '"', text: s} }
func numberNode(n int64) *node    { return &node{kind: '0', text: strconv.FormatInt(n, 10)} }
func listNode(e ...*node) *node   { return &node{kind: '[', elems: e} }
func (n *node) isObject() bool    { return n != nil && n.kind == '{' }
func (n *node) isList() bool      { return n != nil && n.kind == '[' }
func (n *node) isString() bool    { return n != nil && n.kind == '"' }
func (n *node) isMissing() bool   { return n == nil || n.kind == 'n' }
func (n *node) isStrings() bool   { return n.isList() && n.every((*node).isString) }
func (n *node) has(k string) bool { return n.index(k) >= 0 }

func (n *node) every(f func(*node) bool) bool {
	for _, e := range n.elems {
		if !f(e) {
			return false
		}
	}
	return true
}

func (n *node) index(key string) int {
	for i, k := range n.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// member returns an object's member, nil where it has none of that name.
func (n *node) member(key string) *node {
	if i := n.index(key); i >= 0 {
		return n.elems[i]
	}
	return nil
}

func (n *node) set(key string, value *node) {
	if i := n.index(key); i >= 0 {
		n.elems[i] = value
		return
	}
	n.keys, n.elems = append(n.keys, key), append(n.elems, value)
}

// byIndex returns the members of an object whose keys are 0 to n-1, in that
// order; ok is false for any other.
func (n *node) byIndex() (list []*node, ok bool) {
	list = make([]*node, len(n.keys))
	for i, key := range n.keys {
		at, err := strconv.Atoi(key)
		if err != nil || at < 0 || at >= len(list) || list[at] != nil || strconv.Itoa(at) != key {
			return nil, false
		}
		list[at] = n.elems[i]
	}
	return list, len(list) > 0
}

func (n *node) appendJSON(dst []byte) []byte {
	switch n.kind {
	case '"':
		dst, _ = jsontext.AppendQuote(dst, n.text) // a decoded string is UTF-8
		return dst
	case '{', '[':
		dst = append(dst, byte(n.kind))
		for i, e := range n.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			if n.kind == '{' {
				dst, _ = jsontext.AppendQuote(dst, n.keys[i])
				dst = append(dst, ':')
			}
			dst = e.appendJSON(dst)
		}
		return append(dst, byte(n.kind)+2)
	}
	return append(dst, n.text...)
}

// JSON is the value's text, empty for none.
func (n *node) JSON() string {
	if n == nil {
		return ""
	}
	return string(n.appendJSON(nil))
}
