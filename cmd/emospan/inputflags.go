package main

import (
	"github.com/emospan/emospan/dataset"
	"github.com/spf13/pflag"
)

// addInputFlags adds those that say how texts are read.
func (o *tagOptions) addInputFlags(f *pflag.FlagSet) {
	f.StringVar(&o.input, "input", "auto", "how to read the input: auto (by its name, or as it begins), txt, jsonl (JSON lines, an array, or objects behind one another), csv, tsv, goemotions or parquet; .gz and .zst are read as they are")
	f.StringVar(&o.textField, "text-field", "text", "`FIELD` of a JSON object, or column, that holds the text")
	f.StringVar(&o.idField, "id-field", "", "`FIELD` or column that holds the id (default: id or src_id, else the records are numbered); none numbers them in any case")
	f.StringVar(&o.labelsField, "labels-field", "", "`FIELD` or column that holds the labels, for a prompt that is given them (default: labels or predictions)")
	f.StringVar(&o.delimiter, "delimiter", "", "`CHARACTER` between the columns of a CSV or TSV, or tab (default: what its first line shows)")
	f.StringVar(&o.quoting, "quoting", string(dataset.QuotingStandard), "standard: a field of a CSV or TSV may stand in quotation marks; none: a line is a row, and quotation marks are the texts' own")
}

// checkInputFlags refuses what they cannot mean.
func (o *tagOptions) checkInputFlags() error {
	if err := oneOf("quoting", o.quoting, string(dataset.QuotingStandard), string(dataset.QuotingNone)); err != nil && o.quoting != "" {
		return err
	}
	if _, ok := delimiterOf(o.delimiter); !ok {
		return usageError("--delimiter %s: it must be one ASCII character, but no quotation mark, or tab", o.delimiter)
	}
	if f := dataset.Format(o.input); (o.delimiter != "" || o.quoting == string(dataset.QuotingNone)) && f != dataset.FormatAuto && !f.IsTable() {
		return usageError("--delimiter and --quoting are for CSV and TSV; give --input csv or tsv in place of %s", o.input)
	}
	return nil
}

// delimiterOf is the character that --delimiter names, 0 where it names none.
func delimiterOf(flag string) (c byte, ok bool) {
	switch flag {
	case "":
		return 0, true
	case "tab", `\t`:
		return '\t', true
	}
	c = flag[0]
	return c, len(flag) == 1 && c < 0x80 && c != '"' && c != '\n' && c != '\r' && c != 0
}

// readerOptions say how the inputs are read.
func (o *tagOptions) readerOptions() dataset.ReaderOptions {
	opts := dataset.ReaderOptions{
		Format: dataset.Format(o.input), TextField: o.textField, IDField: o.idField, LabelsField: o.labelsField, Labels: o.labels,
	}
	opts.Delimiter, _ = delimiterOf(o.delimiter)
	if o.quoting == string(dataset.QuotingNone) {
		opts.Quoting = dataset.QuotingNone
	}
	return opts
}
