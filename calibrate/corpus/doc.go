// Package corpus holds short English texts of eight registers, written for emospan, with the emotions that they
// show: spans and the attributes of each. [Records] gives them as records of the dataset, [Parse] and [Build] do the same for a
// file of the same form. README.md says what each field means and how often each value occurs.
//
// # Form
//
// A file is UTF-8 text with an entry a line:
//
//	#! register=chat
//	Thank goodness, [finally safe](relief high asserted present self) at home.
//	My sister [couldn't stand](annoyance med asserted past other "the landlord" target) the landlord.
//	The library opens at nine.
//
// A mark is a span in square brackets and, in round ones, its emotion, the values of valence, intensity, certainty, temporality
// and source, the target in quotation marks, and the target's relation. The valence is written only where the taxonomy leaves it
// open (surprise, confusion), the target and its relation only where there is one. Where a taxonomy has attributes of its own,
// their values may follow the source's, in the taxonomy's order; each one that is left out has its default.
//
// A line without a mark is neutral. Spans are whole tokens, as [tagger.Words] gives them, and marks do not nest. The target is a
// run of the text's tokens, or you where an imperative names nobody. A bracket of the text needs a partner; \[ and \] stand for
// one that has none, or that is within a span.
//
// A line of #! register= sets the register of the lines after it. Blank lines, and lines of # and a space, are passed over.
package corpus
