// Package agreement says how far annotations of the same texts agree: call
// [OpenReference] for the annotation to compare with and [Reference.Compare]
// for each file. To look at single texts instead, pair records with those of
// the reference by [Codebook.Annotation] and [Reference.Matcher]; what
// [Matcher.Match] returns is what the reference says.
//
// Both sides may be the project's records, GoEmotions' TSV, or JSON lines of
// labels; a reference may also be JSON lines of spans with character offsets.
// A [Comparison] holds scores of labels on three levels (the taxonomy's
// emotions, Ekman's classes, sentiment), scores of spans, and how the spans'
// attributes are distributed and agree. docs/agreement.md defines each figure.
//
// Of a reference's annotations, without their texts, some MiB are kept in memory
// and the others in a temporary file if there can be one, besides an index of 16
// bytes each. The files compared with it are read once, line by line; of them one
// count is kept for each different outcome.
package agreement
