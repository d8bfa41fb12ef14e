package agreement

import (
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// Level is how finely labels are told apart.
type Level string

const (
	LevelEmotion   Level = "emotion"   // the taxonomy's emotions
	LevelEkman     Level = "ekman"     // the Ekman classes that they belong to
	LevelSentiment Level = "sentiment" // their emotion_group
)

// A Codebook numbers what a taxonomy names, so that annotations can be kept as
// small integers. It is immutable; goroutines may share it.
type Codebook struct {
	tax       *dataset.Taxonomy
	names     map[Level][]string
	number    map[Level]map[string]uint8
	ekman     []uint8 // of each emotion
	sentiment []uint8 // of each emotion

	// ekmanSentiment is the group of each Ekman class, noClass where its
	// emotions lie in more than one.
	ekmanSentiment []uint8

	attributes []*dataset.Vocabulary
	valueCode  []map[string]uint8 // of each attribute
	kinds      map[string]uint8   // span types, from 1
	labelIDs   bool               // GoEmotions' label ids are this taxonomy's
}

// NewCodebook numbers a taxonomy of up to 64 emotions.
func NewCodebook(tax *dataset.Taxonomy) (*Codebook, error) {
	if n := len(tax.Emotions()); n > maxClasses {
		return nil, fmt.Errorf("taxonomy %s has %d emotions; at most %d can be compared", tax.Name(), n, maxClasses)
	}
	b := &Codebook{
		tax: tax, attributes: tax.Attributes(),
		names:  map[Level][]string{},
		number: map[Level]map[string]uint8{LevelEmotion: {}, LevelEkman: {}, LevelSentiment: {}},
		kinds:  map[string]uint8{},
	}
	groups := tax.Attr(dataset.AttrEmotionGroup).Values
	if len(groups) > maxClasses {
		return nil, fmt.Errorf("taxonomy %s has %d groups of emotions; at most %d can be compared", tax.Name(), len(groups), maxClasses)
	}
	for _, group := range groups {
		b.add(LevelSentiment, group)
	}
	for _, e := range tax.Emotions() {
		b.add(LevelEmotion, e.Name)
		class, group := b.add(LevelEkman, e.Ekman), b.add(LevelSentiment, e.Group)
		b.ekman, b.sentiment = append(b.ekman, class), append(b.sentiment, group)
		switch {
		case int(class) == len(b.ekmanSentiment):
			b.ekmanSentiment = append(b.ekmanSentiment, group)
		case b.ekmanSentiment[class] != group:
			b.ekmanSentiment[class] = noClass
		}
	}
	for _, v := range b.attributes {
		if len(v.Values) >= noClass {
			return nil, fmt.Errorf("taxonomy %s: %s has %d values; at most %d can be compared", tax.Name(), v.Name, len(v.Values), noClass-1)
		}
		codes := map[string]uint8{}
		for code, value := range v.Values {
			codes[value] = uint8(code + 1)
		}
		b.valueCode = append(b.valueCode, codes)
	}
	for i, kind := range tax.SpanTypes() {
		if i >= noClass-1 {
			return nil, fmt.Errorf("taxonomy %s has %d span types; at most %d can be compared", tax.Name(), len(tax.SpanTypes()), noClass-1)
		}
		b.kinds[kind] = uint8(i + 1)
	}
	b.labelIDs = true
	for i, e := range dataset.Default().Emotions() {
		b.labelIDs = b.labelIDs && i < len(tax.Emotions()) && tax.Emotions()[i].Name == e.Name
	}
	return b, nil
}

func (b *Codebook) add(level Level, name string) uint8 {
	if n, ok := b.number[level][name]; ok {
		return n
	}
	n := uint8(len(b.names[level]))
	b.number[level][name] = n
	b.names[level] = append(b.names[level], name)
	return n
}

// Names are the classes of a level in the order of their numbers. They must not
// be modified.
func (b *Codebook) Names(level Level) []string { return b.names[level] }

// class returns the number that a label has on a level, noClass where the
// taxonomy does not know it. A name may be one of the taxonomy's in any case, or
// with synonyms a free name that means one.
func (b *Codebook) class(level Level, name string, synonyms bool) uint8 {
	name = strings.ToLower(name)
	if level == LevelEkman {
		if class, ok := b.number[LevelEkman][name]; ok {
			return class
		}
	}
	emotion, ok := b.number[LevelEmotion][name]
	if !ok && synonyms {
		var e *dataset.Emotion
		if e, ok = b.tax.CanonicalEmotion(name); ok {
			emotion = b.number[LevelEmotion][e.Name]
		}
	}
	switch {
	case !ok:
		return noClass
	case level == LevelEkman:
		return b.ekman[emotion]
	}
	return emotion
}

// labelID returns the name that GoEmotions' label id stands for.
func labelID(id int) (string, bool) {
	emotions := dataset.Default().Emotions()
	if id < 0 || id >= len(emotions) {
		return "", false
	}
	return emotions[id].Name, true
}

// value returns the code of an attribute's value: 0 where it is none of the
// vocabulary's, else its place there, from 1.
func (b *Codebook) value(attribute int, name string) uint8 {
	if code, ok := b.valueCode[attribute][name]; ok {
		return code
	}
	value, ok := b.attributes[attribute].Canonical(name)
	if !ok {
		return 0
	}
	return b.valueCode[attribute][value]
}

// coarser are the levels that labels of a level can be scored on, itself first,
// each with what its classes come to there.
func (b *Codebook) coarser(level Level) []projection {
	identity := make([]uint8, len(b.names[level]))
	for i := range identity {
		identity[i] = uint8(i)
	}
	list := []projection{{level, identity}}
	switch level {
	case LevelEmotion:
		list = append(list, projection{LevelEkman, b.ekman}, projection{LevelSentiment, b.sentiment})
	case LevelEkman:
		for _, group := range b.ekmanSentiment {
			if group == noClass {
				return list
			}
		}
		list = append(list, projection{LevelSentiment, b.ekmanSentiment})
	}
	return list
}

type projection struct {
	level Level
	to    []uint8
}
