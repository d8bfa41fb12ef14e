package validate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json/jsontext"
)

// reshape gives a line that is not a record's JSON the shape of one, as far as
// it can be had without a guess, and returns it with the changes. What it
// leaves as it is [Decode] reports. ok is false for a line that is no object,
// or that readers take differently because it has a name twice.
func reshape(line []byte, tax *dataset.Taxonomy) (shaped []byte, changes []Change, ok bool) {
	root, err := parseNode(line)
	if err != nil || !root.isObject() {
		return nil, nil, false
	}
	s := reshaper{tax: tax}
	s.record(root)
	return root.appendJSON(nil), s.changes, true
}

type reshaper struct {
	tax     *dataset.Taxonomy
	changes []Change
}

func (s *reshaper) note(code, path, from, to string) {
	s.changes = append(s.changes, Change{Code: code, Path: path, From: from, To: to})
}

func (s *reshaper) record(r *node) {
	s.predictions(r)
	if prompt := r.member("prompt"); !r.has("level") && prompt.isString() && strings.HasPrefix(prompt.text, "level_2") {
		r.set("level", stringNode(dataset.Level))
		s.note(FixLevel, "/level", "", dataset.Level)
	}
	s.dropUnknown(r, recordKeys, "")
	if data := r.member("data"); data.isObject() {
		s.spans(data)
		s.labels(data)
		s.dropUnknown(data, dataKeys, "/data")
	}
}

// predictions takes the emotions that a projected set was given, under the
// name that its cards have for them, where there are no others.
func (s *reshaper) predictions(r *node) {
	if !r.has("predictions") {
		found := -1
		for i, key := range r.keys {
			if strings.HasPrefix(key, "original_") && strings.HasSuffix(key, "_predictions") {
				if found >= 0 {
					return
				}
				found = i
			}
		}
		if found < 0 {
			return
		}
		s.note(FixPredictionsKey, pointer("", r.keys[found]), r.keys[found], "predictions")
		r.keys[found] = "predictions"
	}
	if p := r.member("predictions"); p.isString() {
		r.set("predictions", listNode(p))
		s.note(FixPredictionsList, "/predictions", p.JSON(), r.member("predictions").JSON())
	}
}

func (s *reshaper) dropUnknown(n *node, known []string, path string) {
	keys, elems := n.keys[:0], n.elems[:0]
	for i, key := range n.keys {
		if slices.Contains(known, key) {
			keys, elems = append(keys, key), append(elems, n.elems[i])
			continue
		}
		s.note(FixUnknownKey, pointer(path, key), n.elems[i].JSON(), "")
	}
	n.keys, n.elems = keys, elems
}

// labels makes a list of what is none. [Fix] recomputes it from the spans
// where there are some, so nothing depends on labels of an unknown shape then.
func (s *reshaper) labels(data *node) {
	n := data.member("labels")
	switch {
	case n.isMissing():
		data.set("labels", listNode())
	case n.isObject():
		list, ok := labelList(n)
		if spans := data.member("spans"); !ok && !(spans.isList() && len(spans.elems) > 0) {
			return
		}
		s.note(FixLabelsStruct, "/data/labels", n.JSON(), list.JSON())
		data.set("labels", list)
	}
}

// labelList reads {"EMO": ["B-EMO", …]}, or {"0": "B-EMO", …}.
func labelList(n *node) (*node, bool) {
	if list, ok := n.byIndex(); ok && n.every((*node).isString) {
		return listNode(list...), true
	}
	if len(n.elems) == 1 && n.elems[0].isStrings() {
		return n.elems[0], true
	}
	return listNode(), len(n.elems) == 0
}

func (s *reshaper) spans(data *node) {
	n := data.member("spans")
	if n.isObject() {
		if list := spanList(n); list != nil {
			s.note(FixSpansStruct, "/data/spans", n.JSON(), list.JSON())
			data.set("spans", list)
			n = list
		}
	}
	if !n.isList() {
		return
	}
	for i, span := range n.elems {
		if span.isObject() {
			s.span(span, at("/data/spans", i, ""))
		}
	}
}

// spanList reads spans by index, a single span, or columns, as the card's
// "sequence: struct" comes out of older readers; nil where it is none of them.
func spanList(n *node) *node {
	if list, ok := n.byIndex(); ok {
		return listNode(list...)
	}
	start := n.member("start")
	if start != nil && !start.isList() {
		return listNode(n)
	}
	return transpose(n)
}

// transpose makes a list of objects of an object of lists of one length, which
// may themselves stand in an object: attrs.
func transpose(n *node) *node {
	columns := make([]*node, len(n.elems))
	for i, column := range n.elems {
		if column.isObject() {
			if column = transpose(column); column == nil {
				return nil
			}
		}
		if !column.isList() || i > 0 && len(column.elems) != len(columns[0].elems) {
			return nil
		}
		columns[i] = column
	}
	if len(columns) == 0 {
		return nil
	}
	list := listNode()
	for row := range columns[0].elems {
		o := &node{kind: '{'}
		for i, column := range columns {
			o.set(n.keys[i], column.elems[row])
		}
		list.elems = append(list.elems, o)
	}
	return list
}

func (s *reshaper) span(span *node, path string) {
	attrs := span.member("attrs")
	if attrs.isMissing() {
		attrs = &node{kind: '{'}
		span.set("attrs", attrs)
	}
	if attrs.isObject() {
		keys, elems := span.keys[:0], span.elems[:0]
		for i, key := range span.keys {
			if !slices.Contains(s.tax.AttrKeys(), key) || attrs.has(key) {
				keys, elems = append(keys, key), append(elems, span.elems[i])
				continue
			}
			attrs.set(key, span.elems[i])
			s.note(FixAttrPlace, pointer(path, key), span.elems[i].JSON(), pointer(path+"/attrs", key))
		}
		span.keys, span.elems = keys, elems
	}
	s.dropUnknown(span, spanKeys, path)
	s.number(span, "start", path, true)
	s.number(span, "end", path, true)
	if span.member("text").isMissing() {
		span.set("text", stringNode(""))
	}
	if attrs.isObject() {
		s.attrs(attrs, span.member("subtype"), path+"/attrs")
	}
}

// attrs fills in the attributes that follow from the rest or have a default,
// and leaves the others missing.
func (s *reshaper) attrs(attrs, subtype *node, path string) {
	s.dropUnknown(attrs, s.tax.AttrKeys(), path)
	s.number(attrs, "sentence_index", path, true)
	s.number(attrs, "clause_index", path, true)
	s.number(attrs, "confidence", path, false)
	fill := func(name, code, value string) {
		if attrs.member(name).isMissing() && value != "" {
			s.note(code, pointer(path, name), attrs.member(name).JSON(), value)
			attrs.set(name, stringNode(value))
		}
	}
	for _, v := range s.tax.Attributes() {
		switch {
		case v.Name == dataset.AttrTargetRelation: // none where there is no target, whatever the default
		case v.Name != dataset.AttrEmotionGroup:
			fill(v.Name, FixAttrDefault, v.Default)
		case subtype.isString():
			if e, ok := s.tax.CanonicalEmotion(subtype.text); ok {
				fill(v.Name, FixEmotionGroup, e.Group)
			}
		}
	}
	text, relation := attrs.member("target_text"), attrs.member("target_relation")
	noText := text.isMissing() || text.isString() && text.text == ""
	noRelation := relation.isMissing() || relation.isString() && s.meansNone(relation.text)
	if noText && noRelation {
		if text.isMissing() {
			s.note(FixTarget, path+"/target_text", text.JSON(), `""`)
			attrs.set("target_text", stringNode(""))
		}
		fill(dataset.AttrTargetRelation, FixTarget, dataset.RelationNone)
	}
}

func (s *reshaper) meansNone(relation string) bool {
	value, ok := s.tax.Attr(dataset.AttrTargetRelation).Canonical(relation)
	return ok && value == dataset.RelationNone || strings.TrimSpace(relation) == ""
}

// number takes a string that is a JSON number for one, and for an index a
// number without a fraction. Percent is not: 91% may be 0.91, or a mistake.
func (s *reshaper) number(n *node, key, path string, index bool) {
	value := n.member(key)
	if value == nil || value.kind != '"' && value.kind != '0' {
		return
	}
	literal := strings.TrimSpace(value.text)
	if v := jsontext.Value(literal); !v.IsValid() || v.Kind() != '0' {
		return
	}
	if index && strings.ContainsAny(literal, ".eE") {
		f, err := strconv.ParseFloat(literal, 64)
		if err != nil || f != float64(int32(f)) {
			return
		}
		literal = strconv.Itoa(int(f))
	}
	if value.kind == '0' && literal == value.text {
		return
	}
	s.note(FixNumber, pointer(path, key), value.JSON(), literal)
	n.set(key, &node{kind: '0', text: literal})
}

func pointer(path, key string) string {
	return path + string(jsontext.Pointer("").AppendToken(key))
}
