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
// Offsets count Unicode code points, as Python's string index does. Only
// doccano's count UTF-16 code units, because its editor does.
package export
