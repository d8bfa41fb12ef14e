package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emospan/emospan/calibrate/corpus"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// readRecords reads a file of records, or of texts in the corpus' own form, and reports whether it is one.
func readRecords(file string, tax *dataset.Taxonomy) (records []dataset.Record, ok bool, err error) {
	if file == "-" {
		return nil, false, nil
	}
	src, err := dataset.OpenStream(file)
	if err != nil {
		return nil, false, inputError(err)
	}
	defer src.Close()
	r := bufio.NewReaderSize(src, 1<<16)
	head, err := r.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, inputError(err)
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case bytes.HasPrefix(line, []byte("#! register=")):
		entries, err := corpus.Parse(r, file)
		if err == nil {
			records, err = corpus.Build(entries, tax)
		}
		if err != nil {
			return nil, true, dataError("%w; mend the line", err)
		}
		return records, true, nil
	case !bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) || !bytes.Contains(line, []byte(`"data"`)) || !bytes.Contains(head, []byte(`"spans"`)):
		return nil, false, nil
	}
	lines := dataset.NewJSONReader(r, dataset.DefaultMaxLine)
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return records, true, nil
		}
		if err != nil {
			return nil, true, dataError("%s: %w; mend the line", lines.At(file), err)
		}
		record, problems := validate.Decode(bytes.Clone(line), tax)
		if len(problems) == 0 {
			problems = validate.Record(record, tax)
		}
		if len(problems) > 0 {
			p := problems[0]
			return nil, true, dataError("%s: %s", lines.At(file), strings.Join([]string{p.Code, p.Path, "expected " + p.Expected + ", found " + p.Found}, ": "))
		}
		records = append(records, *record)
	}
}
