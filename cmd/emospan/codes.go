package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/emospan/emospan/validate"
)

// A rejectCode explains the code of a reason.
type rejectCode struct {
	code, check, meaning string
	advice               string // what to do about it
	// again says when running the sample again can help: always, never, or once one of the flags after "with" is another than it was.
	again string
}

const (
	always = ""
	never  = "never"
	with   = "with "

	runAgain    = "emospan retry-rejects runs the text again"
	mendLines   = "mend those lines of the input and tag them"
	shorterText = "--split sentence makes shorter texts of it; "
)

// tagCodes are the codes of rejects that do not come from a record's checks.
var tagCodes = []rejectCode{
	{dataset.CodeInputTooLong, "tag", "the input's line, or a table's record, is longer than the limit", "divide it into several", never},
	{dataset.CodeInputUTF8, "tag", "the input's line or record is not UTF-8", "convert the input to UTF-8, as iconv does, and tag it", never},
	{dataset.CodeInputSyntax, "tag", "the input's line is not one JSON object, or a table's quotes do not match", mendLines + ", or name the format with --input", never},
	{dataset.CodeInputType, "tag", "the text, the id or the labels have the wrong type", mendLines + ", or name the fields with --text-field, --id-field and --labels-field", never},
	{dataset.CodeInputRepeated, "tag", "a field that is read appears twice", "leave one of the two in those lines, and tag them", never},
	{dataset.CodeInputMissingText, "tag", "the object has no text field", "name the field that holds the text with --text-field", never},
	{dataset.CodeInputEmpty, "tag", "the text, or the id, is empty", mendLines + ", or leave them out", never},
	{dataset.CodeInputColumns, "tag", "the record has more or fewer columns than the table", "put fields that hold a separator or a line end in quotes, and tag those lines", never},
	{dataset.CodeInputUnknownLabel, "tag", "a label is no emotion of the taxonomy", "mend the label, or name a taxonomy that has it with --taxonomy", never},
	{dataset.CodeInputDuplicateID, "tag", "another line has the same id", "give each line an id of its own, or name another field with --id-field", never},
	{tagger.CodeTextEmpty, "tag", "the text holds nothing but white space", "leave the text out", never},
	{tagger.CodeTextUTF8, "tag", "the text is not UTF-8", "convert the input to UTF-8, as iconv does, and tag it", never},
	{tagger.CodeTextTooLong, "tag", "the text does not fit the model's context beside the prompt", shorterText + "a model with a longer context, or a shorter prompt, leaves more room", with + "model prompt prompt-file decode"},
	{tagger.CodeTextGrammar, "tag", "the text is too long, or repeats itself too much, for a grammar of its tokens", shorterText + "another --decode needs a smaller grammar", with + "prompt prompt-file decode taxonomy"},
	{tagger.CodeLimit, "tag", "the model's answer did not end within its token limit", runAgain, always},
	{tagger.CodeAnswer, "tag", "the model's answer does not expand into a record", runAgain, always},
	{tagger.CodeLabelsMissing, "tag", "the prompt asks about the text's labels, and it came without", "give each text its labels (--labels-field names where they are), or take another --prompt", with + "prompt prompt-file"},
	{tagger.CodeLabelsDiffer, "tag", "the predictions are not the labels that came with the text", runAgain, always},
}

// rejectCodes lists every code of a reason: those of the card's checks by step, then those that only tag gives.
var rejectCodes = sync.OnceValue(func() []rejectCode {
	var all []rejectCode
	schema := validate.Steps()[0]
	for _, c := range validate.Codes() {
		advice := runAgain
		if c.Step == schema {
			advice = "mend the record, or tag its text again"
		}
		all = append(all, rejectCode{c.Code, c.Step, c.Meaning, advice, always})
	}
	return append(all, tagCodes...)
})

// explain finds a code; of one that is not ours it only knows that running again may help.
func explain(code string) rejectCode {
	all := rejectCodes()
	if i := slices.IndexFunc(all, func(c rejectCode) bool { return c.code == code }); i >= 0 {
		return all[i]
	}
	return rejectCode{code: code, advice: runAgain}
}

// codeMeaning explains a reason code; "" for one that is not ours.
func codeMeaning(code string) string { return explain(code).meaning }

// helps reports whether running a sample with this code again can come to anything else. Another tells whether a flag is another than it was.
func (c *rejectCode) helps(another func(flag string) bool) bool {
	flags, conditional := strings.CutPrefix(c.again, with)
	return c.again == always || conditional && slices.ContainsFunc(strings.Fields(flags), another)
}

// printCodes lists every reason code, and behind those of the card's checks the codes of changes.
func printCodes(out io.Writer) error {
	return table(out, func(w io.Writer) {
		fmt.Fprintln(w, "CODE\tCHECK\tMEANING\tWHAT TO DO")
		for _, c := range rejectCodes() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.code, c.check, c.meaning, c.advice)
		}
		for _, c := range validate.Fixes() {
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", c.Code, c.Step, c.Meaning)
		}
	})
}

// mostCodes is how many codes a summary has a line for.
const mostCodes = 10

// printRejected says for each code of rejects how many have it, what it means and what to do: the most frequent first.
func printRejected(w io.Writer, counts map[string]int) {
	codes := byCount(counts)
	for i, code := range codes {
		if i == mostCodes {
			fmt.Fprintf(w, "rejected for other reasons: %s\n", plural(len(codes)-i, "code"))
			return
		}
		c := explain(code)
		if c.meaning != "" {
			c.meaning += "; "
		}
		fmt.Fprintf(w, "rejected %d: %s: %s%s\n", counts[code], printable(code), c.meaning, c.advice)
	}
}

// byCount sorts codes, the most frequent first.
func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
}
