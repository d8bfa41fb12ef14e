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
	{dataset.CodeInputTooLong, "the input's line is longer than the limit"},
	{dataset.CodeInputUTF8, "the input's line is not UTF-8"},
	{dataset.CodeInputSyntax, "the input's line is not one JSON object"},
	{dataset.CodeInputType, "the text or the id has the wrong type"},
	{dataset.CodeInputRepeated, "the text's or the id's field appears twice"},
	{dataset.CodeInputMissingText, "the object has no text field"},
	{dataset.CodeInputEmpty, "the text is empty"},
	{dataset.CodeInputDuplicateID, "another line has the same id"},
	{tagger.CodeTextEmpty, "the text holds nothing but white space"},
	{tagger.CodeTextUTF8, "the text is not UTF-8"},
	{tagger.CodeTextTooLong, "the text does not fit the model's context beside the prompt"},
	{tagger.CodeTextGrammar, "the text is too long, or repeats itself too much, for a grammar of its tokens"},
	{tagger.CodeLimit, "the model's answer did not end within its token limit"},
	{tagger.CodeAnswer, "the model's answer does not expand into a record"},
}

// printCodes lists every reason code: those of the card's checks by step, then those that only tag gives.
func printCodes(out io.Writer) error {
	return table(out, func(w io.Writer) {
		fmt.Fprintln(w, "CODE\tCHECK\tMEANING")
		for _, c := range validate.Codes() {
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
