package main

import (
	"fmt"
	"io"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/emospan/emospan/validate"
)

// tagCodes are the codes of rejects that do not come from a record's checks.
var tagCodes = []struct{ code, meaning string }{
	{dataset.CodeInputTooLong, "the input's line, or a table's record, is longer than the limit"},
	{dataset.CodeInputUTF8, "the input's line or record is not UTF-8"},
	{dataset.CodeInputSyntax, "the input's line is not one JSON object, or a table's quotes do not match"},
	{dataset.CodeInputType, "the text, the id or the labels have the wrong type"},
	{dataset.CodeInputRepeated, "a field that is read appears twice"},
	{dataset.CodeInputMissingText, "the object has no text field"},
	{dataset.CodeInputEmpty, "the text is empty"},
	{dataset.CodeInputColumns, "the record has more or fewer columns than the table"},
	{dataset.CodeInputUnknownLabel, "a label is no emotion of the taxonomy"},
	{dataset.CodeInputDuplicateID, "another line has the same id"},
	{tagger.CodeTextEmpty, "the text holds nothing but white space"},
	{tagger.CodeTextUTF8, "the text is not UTF-8"},
	{tagger.CodeTextTooLong, "the text does not fit the model's context beside the prompt"},
	{tagger.CodeTextGrammar, "the text is too long, or repeats itself too much, for a grammar of its tokens"},
	{tagger.CodeLimit, "the model's answer did not end within its token limit"},
	{tagger.CodeAnswer, "the model's answer does not expand into a record"},
	{tagger.CodeLabelsMissing, "the prompt asks about the text's labels, and it came without"},
	{tagger.CodeLabelsDiffer, "the predictions are not the labels that came with the text"},
}

// printCodes lists every reason code: those of the card's checks by step, those of changes, then those that only tag gives.
func printCodes(out io.Writer) error {
	return table(out, func(w io.Writer) {
		fmt.Fprintln(w, "CODE\tCHECK\tMEANING")
		for _, c := range validate.Codes() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Code, c.Step, c.Meaning)
		}
		for _, c := range validate.Fixes() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Code, c.Step, c.Meaning)
		}
		for _, c := range tagCodes {
			fmt.Fprintf(w, "%s\ttag\t%s\n", c.code, c.meaning)
		}
	})
}

// codeMeaning explains a reason code; "" for one that is not ours.
func codeMeaning(code string) string {
	for _, c := range validate.Codes() {
		if c.Code == code {
			return c.Meaning
		}
	}
	for _, c := range tagCodes {
		if c.code == code {
			return c.meaning
		}
	}
	return ""
}
