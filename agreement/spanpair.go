package agreement

import (
	"cmp"
	"slices"
)

// The classes of agreement and error of a span, in the order of misalignments.
const (
	spanExact           = iota // the reference's run of tokens and its emotion
	spanShort                  // inside of the reference's, the emotion right
	spanLong                   // around it
	spanShifted                // over one end of it
	spanEmotion                // the same run, another emotion
	spanBoundaryEmotion        // another run and another emotion
	spanSpurious               // over no span of the reference, or one that belongs to another
	spanMissed                 // a span of the reference that no predicted one belongs to
)

var misalignments = [...]string{
	spanExact: "exact", spanShort: "boundary_short", spanLong: "boundary_long", spanShifted: "boundary_shifted",
	spanEmotion: "wrong_emotion", spanBoundaryEmotion: "boundary_and_emotion", spanSpurious: "spurious", spanMissed: "missed",
}

// A run is one or more spans of the reference that lie over each other, or one
// predicted span, over tokens.
type run struct {
	start, end int32 // half open
	classes    Set   // the emotions that are known
	span       *Span // the first

	// Of a predicted one: whether it meets a judged run of the reference, or another.
	meetsJudged, meetsOther bool
}

// judged reports whether the run's emotion can be right or wrong: that of a
// reference's span which the taxonomy does not know cannot.
func (r *run) judged() bool { return r.classes != 0 }

func (r *run) overlap(other *run) int32 { return min(r.end, other.end) - max(r.start, other.start) }

// spanComparer compares the spans of two annotations of one text. What it needs
// for that it uses again for the next.
type spanComparer struct {
	project func(class uint8) uint8 // of a predicted span to the reference's level
	typed   bool                    // the reference has span types to compare

	reference, predicted []run
	meets                []meeting
	pairs                []meeting // of runs that belong to each other
	left, right          []entity
	out                  spanOutcome
}

// meeting is a run of the reference, a predicted one and how they lie.
type meeting struct {
	reference, predicted int
	overlap              int32
	exact, right         bool
}

// compare says how the spans of the reference's annotation and of a, which is of
// the same text, agree. The outcome is valid until the next call.
func (c *spanComparer) compare(ref, a *Annotation) *spanOutcome {
	c.out = spanOutcome{emotions: c.out.emotions[:0]}
	c.layReference(ref.Spans, a)
	c.predicted = c.predicted[:0]
	for k := range a.Spans {
		s := &a.Spans[k]
		from, to := a.tokens(s.Start, s.End)
		c.predicted = append(c.predicted, run{start: from, end: to, classes: setOf(c.project(s.class)), span: s})
	}
	c.out.reference, c.out.predicted = int32(len(c.reference)), int32(len(c.predicted))
	c.meet()
	c.belong()
	c.entities(ref, a)
	c.emotions(ref.Spans, a)
	return &c.out
}

// layReference lays the reference's spans over the tokens of a. What lies over
// each other then becomes one run.
func (c *spanComparer) layReference(spans []Span, a *Annotation) {
	c.reference = c.reference[:0]
	for k := range spans {
		s := &spans[k]
		from, to := a.tokens(s.Start, s.End)
		if n := len(c.reference); n > 0 && from < c.reference[n-1].end {
			last := &c.reference[n-1]
			last.end = max(last.end, to)
			last.classes |= setOf(s.class)
			continue
		}
		c.reference = append(c.reference, run{start: from, end: to, classes: setOf(s.class), span: s})
	}
}

// meet finds the runs that lie over each other. Those of one side do not, so
// each that begins behind another ends behind it.
func (c *spanComparer) meet() {
	c.meets = c.meets[:0]
	o := &c.out
	for _, r := range c.reference {
		o.tokens.reference += r.end - r.start
	}
	last := -1 // the reference's run that was met last
	first := 0
	for p := range c.predicted {
		predicted := &c.predicted[p]
		o.tokens.predicted += predicted.end - predicted.start
		for first < len(c.reference) && c.reference[first].end <= predicted.start {
			first++
		}
		met := int32(0)
		for k := first; k < len(c.reference) && c.reference[k].start < predicted.end; k++ {
			r := &c.reference[k]
			overlap := r.overlap(predicted)
			met += overlap
			if k != last {
				o.referenceMet++
				last = k
			}
			o.referencePart += float64(overlap) / float64(r.end-r.start)
			if r.judged() {
				predicted.meetsJudged = true
			} else {
				predicted.meetsOther = true
			}
			c.meets = append(c.meets, meeting{
				k, p, overlap, r.start == predicted.start && r.end == predicted.end, !r.judged() || r.classes&predicted.classes != 0,
			})
		}
		if met > 0 {
			o.predictedMet++
		}
		o.tokens.both += met
		o.predictedPart += float64(met) / float64(predicted.end-predicted.start)
	}
}

// belong pairs runs one to one and names what each pair, and each run that is
// left over, is an example of. The longer overlap comes first, then the right
// emotion, then the earlier place.
func (c *spanComparer) belong() {
	slices.SortStableFunc(c.meets, func(a, b meeting) int {
		return cmp.Or(cmp.Compare(b.overlap, a.overlap), first(a.right, b.right))
	})
	c.pairs = c.pairs[:0]
	for _, m := range c.meets {
		r, p := &c.reference[m.reference], &c.predicted[m.predicted]
		if r.start < 0 || p.start < 0 {
			continue
		}
		class := spanBoundaryEmotion
		switch {
		case m.exact && m.right:
			class = spanExact
		case m.exact:
			class = spanEmotion
		case !m.right:
		case r.start <= p.start && p.end <= r.end:
			class = spanShort
		case p.start <= r.start && r.end <= p.end:
			class = spanLong
		default:
			class = spanShifted
		}
		c.out.misaligned[class]++
		c.pairs = append(c.pairs, m)
		r.start, p.start = ^r.start, ^p.start // taken
	}
	for k := range c.reference {
		if r := &c.reference[k]; r.start < 0 {
			r.start = ^r.start
		} else {
			c.out.misaligned[spanMissed]++
		}
	}
	for k := range c.predicted {
		if p := &c.predicted[k]; p.start < 0 {
			p.start = ^p.start
		} else {
			c.out.misaligned[spanSpurious]++
		}
	}
}

// first orders what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// entities compares what the BIO labels of both hold, as seqeval does.
func (c *spanComparer) entities(ref, a *Annotation) {
	collect := func(dst []entity, runs []run, irregular bool, list []entity) []entity {
		if !irregular {
			for _, r := range runs {
				dst = append(dst, entity{r.span.kind, r.start, r.end})
			}
		}
		for _, e := range list {
			from, to := a.tokens(e.start, e.end)
			dst = append(dst, entity{e.class, from, to})
		}
		for k := range dst {
			if !c.typed {
				dst[k].class = 0
			}
		}
		return mergeOverlapping(dst)
	}
	for _, way := range [...]struct {
		reference, predicted []entity
		to                   *cell
	}{{ref.chunks, a.chunks, &c.out.chunks}, {ref.strict, a.strict, &c.out.strict}} {
		c.left = collect(c.left[:0], c.reference, ref.irregular, way.reference)
		c.right = collect(c.right[:0], c.predicted, a.irregular, way.predicted)
		*way.to = cell{reference: int32(len(c.left)), predicted: int32(len(c.right))}
		intersect(c.left, c.right, func(entity) { way.to.both++ })
	}
}

// emotions compares entities whose type is the emotion. A predicted one that
// meets only spans whose emotion the taxonomy does not know is passed over.
func (c *spanComparer) emotions(spans []Span, a *Annotation) {
	c.left, c.right = c.left[:0], c.right[:0]
	for k := range spans {
		if s := &spans[k]; s.class != noClass {
			from, to := a.tokens(s.Start, s.End)
			c.left = append(c.left, entity{s.class, from, to})
		}
	}
	c.left = mergeOverlapping(c.left)
	for k := range c.predicted {
		p := &c.predicted[k]
		if p.judged() && (p.meetsJudged || !p.meetsOther) {
			c.right = append(c.right, entity{c.project(p.span.class), p.start, p.end})
		}
	}
	slices.SortFunc(c.right, compareEntities)
	of := func(class uint8) *cell {
		list := c.out.emotions
		k, ok := slices.BinarySearchFunc(list, class, func(e emotionCell, class uint8) int { return cmp.Compare(e.class, class) })
		if !ok {
			c.out.emotions = slices.Insert(list, k, emotionCell{class: class})
		}
		return &c.out.emotions[k].cell
	}
	for _, e := range c.left {
		of(e.class).reference++
	}
	for _, e := range c.right {
		of(e.class).predicted++
	}
	intersect(c.left, c.right, func(e entity) { of(e.class).both++ })
}

// intersect yields what two sorted lists have in common.
func intersect(a, b []entity, yield func(entity)) {
	for len(a) > 0 && len(b) > 0 {
		switch d := compareEntities(a[0], b[0]); {
		case d < 0:
			a = a[1:]
		case d > 0:
			b = b[1:]
		default:
			yield(a[0])
			a, b = a[1:], b[1:]
		}
	}
}
