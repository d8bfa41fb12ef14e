// Package export writes records in the formats of other tools: look one up with
// [Lookup], open its [Writer] with [Format.New] on any stream, or use
// [CreateHub] for a folder that Hugging Face's datasets loads. [CreateFile]
// makes the stream a file that takes its name only when it is whole.
//
// Every [Format] says what it carries and what it cannot. Records are expected
// to be valid (package validate); what cannot be true of a valid one is an
// error, never a guess. Memory does not grow with the number of records, but
// for the distinct words of a spaCy file.
//
// Offsets are counted in Unicode code points, which is what every one of these
// tools counts in: Python's string index is one, and Label Studio's and
// doccano's browser code converts JavaScript's UTF-16 units to them.
package export
