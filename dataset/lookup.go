package dataset

import (
	"strings"
	"unicode/utf8"
)

// Name is the taxonomy's own name.
func (t *Taxonomy) Name() string { return t.name }

// SHA256 is the hash of the JSON the taxonomy was parsed from, in hexadecimal.
func (t *Taxonomy) SHA256() string { return t.sha256 }

// Neutral is the name of the emotion that stands for none.
func (t *Taxonomy) Neutral() string { return t.neutral }

// Emotions are all emotions, in the order of the file.
func (t *Taxonomy) Emotions() []Emotion { return t.emotions }

// SpanTypes are the span types, the tails of BIO labels.
func (t *Taxonomy) SpanTypes() []string { return t.spanTypes }

// Pronouns are the words, in lower case, that a target_text may be without
// standing in the text.
func (t *Taxonomy) Pronouns() []string { return t.pronouns }

// IsPronoun reports whether s is a listed pronoun, whatever its case.
func (t *Taxonomy) IsPronoun(s string) bool {
	return t.pronounSet[s] || len(s) <= maxPronoun && t.pronounSet[strings.ToLower(s)]
}

// maxPronoun spares a long target the lower-casing, in bytes.
const maxPronoun = 64

// Emotion returns the emotion of that name, which must be in lower case.
func (t *Taxonomy) Emotion(name string) (*Emotion, bool) {
	e, ok := t.byName[name]
	return e, ok
}

// EmotionBySubtype returns the emotion whose capitalised form subtype is.
func (t *Taxonomy) EmotionBySubtype(subtype string) (*Emotion, bool) {
	e, ok := t.bySubtype[subtype]
	return e, ok
}

// CanonicalEmotion returns the emotion that a free name means ("Happiness" is
// joy), with the tolerance of [Vocabulary.Canonical].
func (t *Taxonomy) CanonicalEmotion(name string) (*Emotion, bool) {
	if e, ok := t.byName[name]; ok {
		return e, true
	}
	e, ok := t.bySynonym[fold(name)]
	return e, ok
}

// Subtype returns the form of an emotion's name that a span's subtype has:
// "annoyance" is "Annoyance". It works on any name, known or not.
func (t *Taxonomy) Subtype(name string) string {
	if e, ok := t.byName[name]; ok {
		return e.Subtype
	}
	if name == "" || !utf8.ValidString(name) {
		return name
	}
	return capitalise(name)
}

// Attr returns an attribute's vocabulary, nil where it has none. The seven
// that have a constant have one.
func (t *Taxonomy) Attr(name string) *Vocabulary { return t.byAttr[name] }

// Attributes are all vocabularies: the seven that have a constant, then
// [Taxonomy.Further].
func (t *Taxonomy) Attributes() []*Vocabulary { return t.attrs }

// Further are the vocabularies of the attributes that the file adds, in its
// order.
func (t *Taxonomy) Further() []*Vocabulary { return t.attrs[len(requiredAttrs):] }

// AttrKeys are the keys of a span's attributes, in a record's order: the
// eleven, then those of [Taxonomy.Further].
func (t *Taxonomy) AttrKeys() []string { return t.attrKeys }
