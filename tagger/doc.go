// Package tagger turns texts into records with a language model: text in, [dataset.Record] or [dataset.Reject] out.
//
// [New] takes a [Model], which is all that the package knows of the thing that runs the weights, and [Options]; [Tagger.Tag]
// then tags one text after the other. For each text the package
//
//  1. splits it into words and punctuation marks, sentences and clauses (words.go, sentences.go),
//  2. fills the frame of a grammar with what the model may say about it (compact.go, aligned.go, schema.go: three forms of the
//     same answer; stages.go: a form may be decoded in stages, each made from what was written before),
//  3. decodes under that grammar, appending what it forces without asking the model, in the tokenizer's own tokens (decode.go,
//     answer.go, forced.go, split.go, sample.go),
//  4. assembles the card's whole record from the answer (record.go) and has it checked by package validate.
//
// What fails a check comes back as a reject with the model's raw answer; it never becomes a record.
package tagger
