package tagger

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A WordScale says how the scores of single words are read, by which a text's spans are found (pointer): a word by itself suggests less than
// a text and other things, so its values are standardised by what they come to for running words.
type WordScale struct {
	Means      []float64 `json:"means"` // of the probes' words, behind a single word
	Deviations []float64 `json:"deviations"`
	Threshold  float64   `json:"threshold"` // of a score with which a word is part of a span beside others
	Longest    int       `json:"longest"`   // of the texts, in words: a longer one's emotions are those of its words; 0 for no such end
}

// maxKnown is how many words a pointer remembers.
const maxKnown = 1 << 15

// A pointer finds the words of a text that suggest its emotions most, each by itself: the model is asked about a word as it is about a text, and
// never twice about one. It belongs to a Tagger.
type pointer struct {
	*Calibration
	known map[string][]float32 // by folded word, the scores of Emotions
}

// evidence is what is known of the words of a text.
type evidence struct {
	scores  map[string][]float32 // by folded word
	unknown []string             // still to be asked about
}

// look looks up the words of a text.
func (p *pointer) look(d *document) *evidence {
	e := &evidence{scores: map[string][]float32{}}
	for i := range d.words {
		if !d.boundary[i] {
			continue
		}
		w := strings.ToLower(d.word(i))
		if _, ok := e.scores[w]; ok {
			continue
		}
		e.scores[w] = p.known[w]
		if e.scores[w] == nil {
			e.unknown = append(e.unknown, w)
		}
	}
	return e
}

// tell notes what the values of the first unknown word say.
func (p *pointer) tell(e *evidence, values []float64) {
	scores := p.wordScores(values)
	w := e.unknown[0]
	e.unknown = e.unknown[1:]
	e.scores[w] = scores
	if len(p.known) == maxKnown {
		clear(p.known)
	}
	p.known[strings.Clone(w)] = scores
}

// rules reports whether a text is longer than those that the map from a whole text to emotions was fitted to. Of such a text the map tells
// little; its words tell more.
func (p *pointer) rules(d *document) bool {
	return p.Words.Longest > 0 && d.wordCount() > p.Words.Longest
}

// spot gives the emotions of the words that suggest one most strongly, as many as there can be spans, the strongest first. There are none where no
// word reaches the threshold.
func (p *pointer) spot(d *document, e *evidence) []string {
	type word struct {
		emotion int
		score   float32
	}
	var words []word
	for i := range d.words {
		if !d.boundary[i] {
			continue
		}
		best := word{-1, float32(p.Words.Threshold)}
		for emotion, score := range e.scores[strings.ToLower(d.word(i))] {
			if score >= best.score && p.Emotions[emotion].Emotion != p.Neutral {
				best = word{emotion, score}
			}
		}
		if best.emotion >= 0 {
			words = append(words, best)
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(b.score, a.score) })
	var names []string
	for _, w := range words[:min(len(words), maxSpans)] {
		names = appendNew(names, p.Emotions[w.emotion].Emotion)
	}
	return names
}

// point gives the spans that say a text's emotions: for each, the word that suggests it most, then other words that suggest one
// strongly; words beside each other are one span.
func (p *pointer) point(d *document, e *evidence) []run {
	score := func(token, emotion int) float32 { return e.scores[strings.ToLower(d.word(token))][emotion] }
	var given []int
	for _, name := range d.given {
		given = append(given, p.index(name))
	}
	owner := make([]int, len(d.words)) // the emotion that a token is chosen for, -1 for none
	for i := range owner {
		owner[i] = -1
	}
	runs := 0
	take := func(token, emotion int) {
		before := token > 0 && owner[token-1] == emotion
		behind := token+1 < len(owner) && owner[token+1] == emotion
		switch {
		case before && behind:
			runs--
		case !before && !behind:
			if runs == maxSpans {
				return
			}
			runs++
		}
		owner[token] = emotion
	}
	for _, emotion := range given {
		best := -1
		for i := range d.words {
			if d.boundary[i] && owner[i] < 0 && (best < 0 || score(i, emotion) > score(best, emotion)) {
				best = i
			}
		}
		if best >= 0 {
			take(best, emotion)
		}
	}
	type candidate struct {
		token, emotion int
		score          float32
	}
	var others []candidate
	for i := range d.words {
		if !d.boundary[i] || owner[i] >= 0 {
			continue
		}
		c := candidate{i, -1, float32(p.Words.Threshold)}
		for _, emotion := range given {
			if s := score(i, emotion); s >= c.score {
				c.emotion, c.score = emotion, s
			}
		}
		if c.emotion >= 0 {
			others = append(others, c)
		}
	}
	slices.SortStableFunc(others, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	for _, c := range others {
		take(c.token, c.emotion)
	}
	var list []run
	for i, emotion := range owner {
		switch {
		case emotion < 0:
		case i > 0 && owner[i-1] == emotion:
			list[len(list)-1].end = i
		default:
			list = append(list, run{i, i, p.Emotions[emotion].Emotion})
		}
	}
	return list
}

// CountWords adds to counts the words of a text, as they are asked about one by one, and returns how many they are.
func CountWords(text string, counts map[string]int) int {
	d := newDocument(text)
	for i := range d.words {
		if d.boundary[i] {
			counts[strings.ToLower(d.word(i))]++
		}
	}
	return d.wordCount()
}

// A WordReading is what the words of a calibration came to for a single word (Result.Values), and how often that occurs.
type WordReading struct {
	Values []float64
	Count  int
}

// markedShare is the share of running words that reach a WordScale's threshold.
const markedShare = 0.06

// EstimateWords sets the calibration's WordScale, once there are weights, from readings of the words of many texts, and from how many words each of
// the texts has: Longest is what all but one in a thousand keep to.
func (c *Calibration) EstimateWords(readings []WordReading, lengths []int) error {
	if len(readings) < minReadings {
		return fmt.Errorf("%d different words are too few to calibrate with; give more texts", len(readings))
	}
	total := 0.0
	for _, r := range readings {
		total += float64(r.Count)
	}
	lengths = slices.Sorted(slices.Values(lengths))
	scale := &WordScale{Longest: lengths[len(lengths)-1-len(lengths)/1000]}
	for i := range readings[0].Values {
		mean, square := 0.0, 0.0
		for _, r := range readings {
			mean += float64(r.Count) / total * r.Values[i]
		}
		for _, r := range readings {
			square += float64(r.Count) / total * (r.Values[i] - mean) * (r.Values[i] - mean)
		}
		scale.Means = append(scale.Means, rounded(mean))
		scale.Deviations = append(scale.Deviations, rounded(max(math.Sqrt(square), 1e-3)))
	}
	c.Words = scale
	type strength struct {
		score float64
		count int
	}
	var strengths []strength
	for _, r := range readings {
		most := math.Inf(-1)
		for e, s := range c.wordScores(r.Values) {
			if c.Emotions[e].Emotion != c.Neutral {
				most = max(most, float64(s))
			}
		}
		strengths = append(strengths, strength{most, r.Count})
	}
	slices.SortFunc(strengths, func(a, b strength) int { return cmp.Compare(b.score, a.score) })
	left := markedShare * total
	for _, s := range strengths {
		scale.Threshold = rounded(s.score)
		if left -= float64(s.count); left <= 0 {
			break
		}
	}
	return nil
}

// wordScores are the emotions' scores of a single word, each less that of neutral.
func (c *Calibration) wordScores(values []float64) []float32 {
	z := make([]float64, len(values))
	for i, v := range values {
		z[i] = (v - c.Words.Means[i]) / c.Words.Deviations[i]
	}
	scores := make([]float32, len(c.Emotions))
	neutral := dot(c.Emotions[c.index(c.Neutral)].Weights, z)
	for i, emotion := range c.Emotions {
		scores[i] = float32(dot(emotion.Weights, z) - neutral)
	}
	return scores
}
