// Package dataset holds the emotion record and everything that reads or
// writes one: call [OpenInput] or [NewReader] for texts, [Create] for an
// output of [Record] or [Reject] lines, [Default] or [LoadTaxonomy] for the
// emotions and attribute vocabularies, [Manifest] for the account of a run, and
// [Shard] for a part of an input.
//
// A record is one line of JSON with fixed keys in a fixed order, so that a
// run's output is the same byte for byte wherever the same decisions were made.
// Token indices are inclusive at both ends, byte offsets are half open.
//
// Nothing here reads ahead without a bound: a line longer than the reader's
// limit is an error naming the line, and reading goes on behind it.
package dataset
