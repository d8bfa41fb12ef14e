// Package validate checks emotion records: call [Stream] for a JSONL file,
// [Decode] for one line of it, [Record] for a record already in memory, and
// [Normalize] to bring case and synonyms of its values into the taxonomy's form
// first.
//
// Nothing stops at the first fault. A line that is JSON yields every fault of
// its schema, a record every fault of its content, in the order of the
// record's keys, up to [MaxProblems]. Every fault has a code, listed by
// [Codes], and an RFC 6901 JSON Pointer to where it lies.
package validate
