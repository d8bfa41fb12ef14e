package dataset

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// The attributes that have a vocabulary under every taxonomy, in a record's key
// order.
const (
	AttrValence        = "valence"
	AttrIntensity      = "intensity"
	AttrCertainty      = "certainty"
	AttrTemporality    = "temporality"
	AttrSource         = "source"
	AttrEmotionGroup   = "emotion_group"
	AttrTargetRelation = "target_relation"
)

// requiredAttrs are those that every taxonomy has.
var requiredAttrs = []string{
	AttrValence, AttrIntensity, AttrCertainty, AttrTemporality, AttrSource, AttrEmotionGroup, AttrTargetRelation,
}

// RelationNone is the target_relation of a span without a target.
const RelationNone = "none"

const (
	maxTaxonomy = 4 << 20 // bytes of a taxonomy's file
	maxFurther  = 32      // attributes beside the required ones
)

//go:embed taxonomy.json
var defaultTaxonomy []byte

// Taxonomy is the set of emotions, span types and attribute vocabularies that
// records are made and checked with. It is immutable, so goroutines may share
// it; the slices its methods return are its own and must not be modified.
//
// The built-in one holds GoEmotions' 27 emotions and neutral with that
// dataset's sentiment and Ekman groupings (Demszky et al. 2020). The attribute
// vocabularies and the synonyms are this project's own.
type Taxonomy struct {
	name      string
	sha256    string
	neutral   string
	spanTypes []string
	pronouns  []string
	emotions  []Emotion
	attrs     []*Vocabulary // the required ones, then the file's own
	attrKeys  []string

	byAttr     map[string]*Vocabulary
	byName     map[string]*Emotion
	bySubtype  map[string]*Emotion
	bySynonym  map[string]*Emotion // folded names and synonyms
	pronounSet map[string]bool
}

// Emotion is one emotion of a taxonomy.
type Emotion struct {
	Name     string   // lower case, as in predictions
	Subtype  string   // capitalised, as in a span's subtype
	Group    string   // a value of the emotion_group vocabulary
	Ekman    string   // the basic emotion it belongs to (Ekman 1992), or neutral's own class
	Valence  string   // the default
	Valences []string // those that fit, the default among them
	Synonyms []string // free names that mean this emotion
}

// Vocabulary is the closed list of values of one attribute.
type Vocabulary struct {
	Name    string
	Values  []string
	Default string // what is meant where nothing is said, if anything; forms that are to be short leave it out

	has       map[string]bool
	canonical map[string]string // folded values and synonyms
}

// Has reports whether value is in the vocabulary exactly as written.
func (v *Vocabulary) Has(value string) bool { return v.has[value] }

// Canonical returns the value that a free name means, disregarding case, white
// space around it, and whether its words are joined by spaces, hyphens or
// underscores.
func (v *Vocabulary) Canonical(name string) (string, bool) {
	if v.has[name] {
		return name, true
	}
	value, ok := v.canonical[fold(name)]
	return value, ok
}

// Default returns the built-in taxonomy.
func Default() *Taxonomy { return defaultOnce() }

var defaultOnce = sync.OnceValue(func() *Taxonomy {
	t, err := ParseTaxonomy(defaultTaxonomy)
	if err != nil {
		panic("built-in " + err.Error())
	}
	return t
})

// LoadTaxonomy reads a taxonomy from a JSON file of the built-in one's shape.
func LoadTaxonomy(path string) (*Taxonomy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("taxonomy: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTaxonomy+1))
	if err != nil {
		return nil, fmt.Errorf("taxonomy: %w", err)
	}
	if len(data) > maxTaxonomy {
		return nil, fmt.Errorf("taxonomy %s: larger than the limit of %d bytes", path, maxTaxonomy)
	}
	t, err := ParseTaxonomy(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// TaxonomyJSON returns the built-in taxonomy as JSON, the pattern for a file
// that [LoadTaxonomy] reads.
func TaxonomyJSON() []byte { return slices.Clone(defaultTaxonomy) }

type taxonomyFile struct {
	Name         string   `json:"name"`
	Neutral      string   `json:"neutral"`
	SpanTypes    []string `json:"span_types"`
	EkmanClasses []string `json:"ekman_classes"`
	Pronouns     []string `json:"pronouns"`
	Attributes   []struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		Values  []struct {
			Name     string   `json:"name"`
			Synonyms []string `json:"synonyms"`
		} `json:"values"`
	} `json:"attributes"`
	Emotions []struct {
		Name     string   `json:"name"`
		Group    string   `json:"group"`
		Ekman    string   `json:"ekman"`
		Valence  string   `json:"valence"`
		Valences []string `json:"valences"`
		Synonyms []string `json:"synonyms"`
	} `json:"emotions"`
}

// ParseTaxonomy parses a taxonomy and checks it: no unknown or repeated keys,
// every list filled and without duplicates, every reference to a value or
// class known, and no free name that means two things.
func ParseTaxonomy(data []byte) (*Taxonomy, error) {
	var f taxonomyFile
	if err := json.Unmarshal(data, &f, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("taxonomy: %w", err)
	}
	sum := sha256.Sum256(data)
	t := &Taxonomy{
		name: f.Name, sha256: hex.EncodeToString(sum[:]), neutral: f.Neutral,
		spanTypes: f.SpanTypes, pronouns: f.Pronouns,
		byAttr:    make(map[string]*Vocabulary, len(f.Attributes)),
		byName:    make(map[string]*Emotion, len(f.Emotions)),
		bySubtype: make(map[string]*Emotion, len(f.Emotions)),
		bySynonym: make(map[string]*Emotion),
	}
	for _, step := range []func(*taxonomyFile) error{t.setLists, t.setAttributes, t.setEmotions} {
		if err := step(&f); err != nil {
			return nil, fmt.Errorf("taxonomy: %w", err)
		}
	}
	return t, nil
}

func (t *Taxonomy) setLists(f *taxonomyFile) error {
	if f.Name == "" {
		return errors.New("name is empty")
	}
	if err := checkList("span_types", f.SpanTypes); err != nil {
		return err
	}
	for _, s := range f.SpanTypes {
		// A type is the tail of a BIO label, which tab- and space-separated formats carry.
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
			return fmt.Errorf("span_types: %q holds something other than letters, digits and _", s)
		}
	}
	if err := checkList("ekman_classes", f.EkmanClasses); err != nil {
		return err
	}
	if err := checkList("pronouns", f.Pronouns); err != nil {
		return err
	}
	t.pronounSet = make(map[string]bool, len(f.Pronouns))
	for _, p := range f.Pronouns {
		if p != strings.ToLower(p) {
			return fmt.Errorf("pronouns: %q is not lower case", p)
		}
		t.pronounSet[p] = true
	}
	return nil
}

func (t *Taxonomy) setAttributes(f *taxonomyFile) error {
	var further []*Vocabulary
	for _, a := range f.Attributes {
		required := slices.Contains(requiredAttrs, a.Name)
		if !required {
			if err := checkAttributeName(a.Name); err != nil {
				return fmt.Errorf("attributes: %w", err)
			}
		}
		if t.byAttr[a.Name] != nil {
			return fmt.Errorf("attributes: %q appears twice", a.Name)
		}
		v := &Vocabulary{Name: a.Name, Default: a.Default, has: make(map[string]bool), canonical: make(map[string]string)}
		for _, value := range a.Values {
			v.Values = append(v.Values, value.Name)
			v.has[value.Name] = true
			for _, s := range append([]string{value.Name}, value.Synonyms...) {
				if err := claim(v.canonical, s, value.Name, value.Name); err != nil {
					return fmt.Errorf("attribute %s: %w", a.Name, err)
				}
			}
		}
		if err := checkList("attribute "+a.Name, v.Values); err != nil {
			return err
		}
		if v.Default != "" && !v.has[v.Default] {
			return fmt.Errorf("attribute %s: its default %q is not among its values", a.Name, v.Default)
		}
		t.byAttr[a.Name] = v
		if !required {
			further = append(further, v)
		}
	}
	if len(further) > maxFurther {
		return fmt.Errorf("attributes: %d beside the required ones, more than %d", len(further), maxFurther)
	}
	for _, name := range requiredAttrs {
		if t.byAttr[name] == nil {
			return fmt.Errorf("attributes: %q is missing; a taxonomy may add attributes to %s, but have none less", name, strings.Join(requiredAttrs, ", "))
		}
		t.attrs = append(t.attrs, t.byAttr[name])
	}
	t.attrs = append(t.attrs, further...)
	t.attrKeys = slices.Clone(attrKeys[:])
	for _, v := range further {
		t.attrKeys = append(t.attrKeys, v.Name)
	}
	if !t.byAttr[AttrTargetRelation].Has(RelationNone) {
		return fmt.Errorf("attribute %s: the value %q is missing", AttrTargetRelation, RelationNone)
	}
	return nil
}

// checkAttributeName holds the name of an attribute that a file adds to what
// can be a key, a column and a flag's value everywhere, and to none of a span.
func checkAttributeName(name string) error {
	if slices.Contains(attrKeys[:], name) || slices.Contains([]string{"type", "subtype", "start", "end", "text", "attrs"}, name) {
		return fmt.Errorf("%q has another meaning in a span: it takes no vocabulary", name)
	}
	for i, r := range name {
		if (r < 'a' || r > 'z') && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return fmt.Errorf("%q is no name for one: it must be of a to z, 0 to 9 and _ and begin with a letter", name)
		}
	}
	if name == "" {
		return errors.New("a name is empty")
	}
	return nil
}

func (t *Taxonomy) setEmotions(f *taxonomyFile) error {
	if len(f.Emotions) == 0 {
		return errors.New("emotions is empty")
	}
	t.emotions = make([]Emotion, len(f.Emotions))
	owners := make(map[string]string)
	for i, e := range f.Emotions {
		if err := checkEmotionName(e.Name); err != nil {
			return err
		}
		if t.byName[e.Name] != nil {
			return fmt.Errorf("emotion %q appears twice", e.Name)
		}
		if !t.byAttr[AttrEmotionGroup].Has(e.Group) {
			return fmt.Errorf("emotion %q: unknown group %q", e.Name, e.Group)
		}
		if !slices.Contains(f.EkmanClasses, e.Ekman) {
			return fmt.Errorf("emotion %q: unknown Ekman class %q", e.Name, e.Ekman)
		}
		if err := checkList("emotion "+e.Name+": valences", e.Valences); err != nil {
			return err
		}
		for _, v := range e.Valences {
			if !t.byAttr[AttrValence].Has(v) {
				return fmt.Errorf("emotion %q: unknown valence %q", e.Name, v)
			}
		}
		if !slices.Contains(e.Valences, e.Valence) {
			return fmt.Errorf("emotion %q: its valence %q is not among its valences", e.Name, e.Valence)
		}
		t.emotions[i] = Emotion{
			Name: e.Name, Subtype: capitalise(e.Name), Group: e.Group, Ekman: e.Ekman,
			Valence: e.Valence, Valences: e.Valences, Synonyms: e.Synonyms,
		}
		t.byName[e.Name] = &t.emotions[i]
		t.bySubtype[t.emotions[i].Subtype] = &t.emotions[i]
		for _, s := range append([]string{e.Name}, e.Synonyms...) {
			if err := claim(owners, s, e.Name, e.Name); err != nil {
				return fmt.Errorf("emotions: %w", err)
			}
			t.bySynonym[fold(s)] = &t.emotions[i]
		}
	}
	if t.byName[t.neutral] == nil {
		return fmt.Errorf("neutral: %q is not one of the emotions", t.neutral)
	}
	return nil
}

// checkEmotionName holds names to a form that survives capitalising and
// lower-casing, and that a grammar or a table can carry.
func checkEmotionName(name string) error {
	first, _ := utf8.DecodeRuneInString(name)
	if !unicode.IsLetter(first) {
		return fmt.Errorf("emotion %q does not begin with a letter", name)
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -_", r) {
			return fmt.Errorf("emotion %q holds something other than letters, digits, spaces, - and _", name)
		}
	}
	if upper := capitalise(name); upper == name || strings.ToLower(upper) != name {
		return fmt.Errorf("emotion %q is not lower case", name)
	}
	return nil
}

func checkList(name string, list []string) error {
	if len(list) == 0 {
		return fmt.Errorf("%s is empty", name)
	}
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if s == "" {
			return fmt.Errorf("%s holds an empty string", name)
		}
		if seen[s] {
			return fmt.Errorf("%s: %q appears twice", name, s)
		}
		seen[s] = true
	}
	return nil
}

// claim notes that the free name means value, and refuses one already taken.
func claim(names map[string]string, name, value, owner string) error {
	key := fold(name)
	if key == "" {
		return fmt.Errorf("%q: an empty name or synonym", owner)
	}
	if other, ok := names[key]; ok {
		return fmt.Errorf("%q: the name %q already means %q", owner, name, other)
	}
	names[key] = value
	return nil
}

// fold is the form in which free names are compared.
func fold(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return unicode.IsSpace(r) || r == '-' || r == '_'
	})
	return strings.Join(words, " ")
}

func capitalise(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[n:]
}
