// Package agreement says how far annotations of the same texts agree: call
// [OpenReference] for the annotation to compare with and [Reference.Compare]
// for each file. To look at single texts instead, pair records with those of
// the reference by [Codebook.Annotation] and [Reference.Matcher]; then
// [Reference.Labels] and [Reference.Spans] are what the reference says.
//
// Both sides may be the project's records, GoEmotions' TSV, or JSON lines of
// labels; a reference may also be JSON lines of spans with character offsets.
// A [Comparison] holds scores of labels on three levels (the taxonomy's
// emotions, Ekman's classes, sentiment), scores of spans, and how the spans'
// attributes are distributed and agree. docs/agreement.md defines each figure.
//
// The reference is kept in memory, without its texts: about 60 bytes a record
// and 35 a span. The files compared with it are read once, line by line; of
// them one count is kept for each different outcome.
package agreement
