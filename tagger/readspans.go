package tagger

import (
	"math"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// WordScore is how much speaks for a word being part of a span of an emotion.
func (c *Calibration) WordScore(vector []float32, emotion string) float64 {
	s := &c.Spans
	score := s.Map.Score(0, vector)
	if i := slices.Index(s.Names, emotion); i >= 0 && s.Weight != 0 {
		score += s.Weight * s.Emotions.Score(i, vector)
	}
	return score
}

// byWords gives the emotion of a sentence of a long text that is neutral by the map from texts, which was fitted to whole texts: where a word
// is clearly part of a span, the emotion that the sentence and that word speak for most.
func (c *Calibration) byWords(e *Evidence, scores []Score) []Score {
	best, at := c.Spans.Alone, -1
	for i := range e.Words {
		if !e.IsContent(i) {
			continue
		}
		if s := c.Spans.Map.Score(0, e.WordVector(i)); s >= best {
			best, at = s, i
		}
	}
	if at < 0 {
		return nil
	}
	vector := e.WordVector(at)
	var most Score
	high := math.Inf(-1)
	for _, s := range scores {
		if s.Emotion == c.Neutral {
			continue
		}
		i := slices.Index(c.Spans.Names, s.Emotion)
		if x := s.Score + c.Spans.Emotions.Score(i, vector); x > high {
			high, most = x, s
		}
	}
	return []Score{most}
}

// A Place is a run of words of Evidence, the last one included.
type Place struct{ Start, End int }

// FindSpans gives the places that show an emotion, the clearest first: around the content word with the highest score those whose scores reach
// extend, and another such run where a word's score reaches second.
func FindSpans(e *Evidence, scores []float64, extend, second float64) []Place {
	var places []Place
	taken := make([]bool, len(scores))
	content := func(i int) bool { return e.IsContent(i) }
	if !slices.ContainsFunc(indices(len(scores)), content) {
		content = func(i int) bool { return !e.IsMark(i) }
	}
	for n := range 2 {
		best := -1
		for i, s := range scores {
			if !taken[i] && content(i) && (best < 0 || s > scores[best]) {
				best = i
			}
		}
		if best < 0 || n > 0 && scores[best] < second {
			break
		}
		p := grow(e, scores, best, extend, taken)
		places = append(places, p)
		for i := max(p.Start-1, 0); i <= min(p.End+1, len(scores)-1); i++ {
			taken[i] = true
		}
	}
	return places
}

// grow widens a run from its best word to the words beside it whose scores reach extend. It begins and ends with no mark, and ends
// with no word that another must follow.
func grow(e *Evidence, scores []float64, best int, extend float64, taken []bool) Place {
	p := Place{best, best}
	joins := func(i int) bool { return i >= 0 && i < len(scores) && !taken[i] && scores[i] >= extend }
	for joins(p.Start - 1) {
		p.Start--
	}
	for joins(p.End + 1) {
		p.End++
	}
	for p.Start < best && e.IsMark(p.Start) {
		p.Start++
	}
	for p.End > best && (e.IsMark(p.End) || leading[strings.ToLower(e.word(p.End))]) {
		p.End--
	}
	return p
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// readSpans gives the spans of an emotion with their attributes, in the document's words.
func (c *Calibration) readSpans(tax *dataset.Taxonomy, e *Evidence, s Score) []foundSpan {
	scores := make([]float64, len(e.Words))
	for i := range scores {
		scores[i] = c.WordScore(e.WordVector(i), s.Emotion)
	}
	emotion, _ := tax.Emotion(s.Emotion)
	var spans []foundSpan
	for _, p := range FindSpans(e, scores, c.Spans.Extend, c.Spans.Second) {
		span := dataset.Span{Type: tax.SpanTypes()[0], Subtype: emotion.Subtype, Start: e.from + p.Start, End: e.from + p.End}
		span.Attrs = dataset.Attrs{
			Valence: emotion.Valence, EmotionGroup: emotion.Group, TargetRelation: dataset.RelationNone, Confidence: math.Round(s.Probability*1e4) / 1e4,
		}
		for _, v := range tax.Further() {
			span.Attrs.Further = append(span.Attrs.Further, dataset.Attr{Name: v.Name})
		}
		vector := e.SpanVector(p.Start, p.End)
		for _, name := range FieldNames(tax) {
			allowed := FieldValues(tax, name)
			if name == dataset.AttrValence {
				allowed = emotion.Valences
			}
			*FieldValue(&span, name), _ = c.Field(name).Decide(vector, allowed)
		}
		span.Attrs.TargetText, span.Attrs.TargetRelation = c.readTarget(e, p, vector)
		spans = append(spans, foundSpan{span, s.Emotion})
	}
	return spans
}

// Decide gives the value that the reading is for, of those that are allowed, and the probabilities of all.
func (f *FieldReading) Decide(vector []float32, allowed []string) (value string, probabilities []float64) {
	scores := f.Map.Scores(vector)
	best, most := -1, math.Inf(-1)
	for i, s := range scores {
		if s += f.Shift[i]; s > most && slices.Contains(allowed, f.Values[i]) {
			best, most = i, s
		}
	}
	probabilities = Softmax(scores, f.Temperature)
	if best < 0 {
		return allowed[0], probabilities
	}
	return f.Values[best], probabilities
}

// Softmax gives the probabilities of scores at a temperature.
func Softmax(scores []float64, temperature float64) []float64 {
	p, most, sum := make([]float64, len(scores)), slices.Max(scores), 0.0
	for i, s := range scores {
		p[i] = math.Exp((s - most) / temperature)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// readTarget gives what a span's emotion is about, and how.
func (c *Calibration) readTarget(e *Evidence, span Place, vector []float32) (text, relation string) {
	t := &c.Targets
	kind, _ := t.Kind.Decide(vector, t.Kind.Values)
	if kind == TargetNone {
		return "", dataset.RelationNone
	}
	place := span
	if kind == TargetText {
		scores := make([]float64, len(e.Words))
		for i := range scores {
			scores[i] = t.Words.Score(0, e.TargetVector(i, span.Start, span.End))
		}
		var ok bool
		if place, ok = FindTarget(e, scores, span, t.Extend); !ok {
			return "", dataset.RelationNone
		}
		text = e.Text[e.Words[place.Start].Start:e.Words[place.End].End]
	} else {
		text = Unsaid
	}
	relation, _ = t.Relation.Decide(e.RelationVector(span.Start, span.End, place.Start, place.End), t.Relation.Values)
	return text, relation
}

// FindTarget gives the words outside a span that its target is most likely to be: around the content word or pronoun with the
// highest score, those beside it that reach extend.
func FindTarget(e *Evidence, scores []float64, span Place, extend float64) (Place, bool) {
	taken, best := make([]bool, len(scores)), -1
	for i, s := range scores {
		taken[i] = i >= span.Start && i <= span.End
		if !taken[i] && (e.IsContent(i) || anyPronoun[strings.ToLower(e.word(i))] || selfWords[strings.ToLower(e.word(i))]) && (best < 0 || s > scores[best]) {
			best = i
		}
	}
	if best < 0 {
		return Place{}, false
	}
	return grow(e, scores, best, extend, taken), true
}
