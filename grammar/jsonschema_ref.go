package grammar

import (
	"net/url"
	"strings"
)

// resolve returns what the $ref at v points to.
//
// An $id below the top makes a document of its own of the schema that it stands in, and
// references are relative to that: those within it, and those that pass through it, are
// errors.
func (b *schemaBuilder) resolve(v *jsonValue) (*jsonValue, error) {
	for at := v.parent; at != nil; at = at.parent {
		if id := b.identifier(at); id != nil {
			return nil, id.errorf("it changes what the $ref at #%s means; leave it out", v.pointer())
		}
	}
	text := v.text
	if id := b.document.id(); id != nil && !strings.HasPrefix(text, "#") {
		base, _, _ := strings.Cut(id.text, "#")
		if rest, ok := strings.CutPrefix(text, base); ok && base != "" && (rest == "" || rest[0] == '#') {
			text = "#" + strings.TrimPrefix(rest, "#")
		}
	}
	fragment, ok := strings.CutPrefix(text, "#")
	if !ok {
		return nil, v.errorf("%s is another document: copy it into $defs and write #/$defs/name", quoteSnippet(v.text))
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, v.errorf("%s is no JSON pointer: %s", quoteSnippet(v.text), onlyRefs)
	}
	if pointer != "" && pointer[0] != '/' {
		return b.anchor(v, pointer)
	}
	to := b.document
	for i, token := range strings.Split(pointer, "/") {
		if i == 0 || to == nil {
			continue
		}
		if id := b.identifier(to); id != nil {
			return nil, id.errorf("the $ref at #%s passes through it; leave it out", v.pointer())
		}
		to = to.member(unescapePointer.Replace(token))
	}
	if to == nil {
		return nil, v.errorf("nothing is at %s", quoteSnippet(v.text))
	}
	return to, nil
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// id returns the $id of a schema, or draft 4's id, if it names a document.
func (v *jsonValue) id() *jsonValue {
	if v.kind != '{' {
		return nil
	}
	for _, name := range []string{"$id", "id"} {
		if id := v.member(name); id != nil && id.kind == '"' && !strings.HasPrefix(id.text, "#") {
			return id
		}
	}
	return nil
}

// identifier returns the id of a schema below the top. In drafts that have $id, id is
// nothing.
func (b *schemaBuilder) identifier(v *jsonValue) *jsonValue {
	if v.parent == nil {
		return nil
	}
	id := v.id()
	if id != nil && id.token == "id" && b.draft > 4 {
		return nil
	}
	return id
}

// anchor returns the schema with the anchor that the $ref at v names.
func (b *schemaBuilder) anchor(v *jsonValue, name string) (*jsonValue, error) {
	if b.anchors == nil {
		b.anchors = map[string][]*jsonValue{}
		b.findAnchors(b.document)
	}
	found := b.anchors[name]
	if len(found) != 1 {
		return nil, v.errorf("%d schemas have the anchor %s, want one: %s", len(found), quoteSnippet(name), onlyRefs)
	}
	for at := found[0]; at != nil; at = at.parent {
		if id := b.identifier(at); id != nil {
			return nil, id.errorf("the $ref at #%s passes through it; leave it out", v.pointer())
		}
	}
	return found[0], nil
}

func (b *schemaBuilder) findAnchors(v *jsonValue) {
	if v.kind == '{' {
		for _, keyword := range []string{"$anchor", "$dynamicAnchor", "$id", "id"} {
			a := v.member(keyword)
			if a == nil || a.kind != '"' {
				continue
			}
			name, id := strings.CutPrefix(a.text, "#")
			if id == strings.HasSuffix(keyword, "id") {
				b.anchors[name] = append(b.anchors[name], v)
			}
		}
	}
	for _, elem := range v.elems {
		b.findAnchors(elem)
	}
}

// draftOf returns the draft that a schema says it is written for: 3, 4, 6, 7, 2019 or 2020.
func draftOf(document *jsonValue) int {
	if document.kind != '{' {
		return 2020
	}
	v := document.member("$schema")
	switch {
	case v == nil || v.kind != '"':
		return 0
	case strings.Contains(v.text, "draft-03"):
		return 3
	case strings.Contains(v.text, "draft-04"):
		return 4
	case strings.Contains(v.text, "draft-06"):
		return 6
	case strings.Contains(v.text, "draft-07"):
		return 7
	case strings.Contains(v.text, "2019-09"):
		return 2019
	case strings.Contains(v.text, "2020-12"):
		return 2020
	}
	return 0
}
