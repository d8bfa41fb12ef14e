package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/examples"
)

// readBenchTexts reads the texts to measure with, so many at most: those of the files, or the built-in ones where none is named.
// It also returns how many lines held none.
func readBenchTexts(ctx context.Context, files []string, limit int) (texts []dataset.Input, bad int, err error) {
	if len(files) == 0 {
		texts, err := builtInTexts()
		return texts[:min(limit, len(texts))], 0, err
	}
	o := &tagOptions{files: files, input: string(dataset.FormatAuto)}
	for _, file := range files {
		err := checkTexts(io.Discard, file, o)
		if column := new(dataset.ColumnError); errors.As(err, &column) {
			return nil, 0, usageError("%w; bench reads texts from a field of that name, or one a line", column)
		} else if err != nil {
			return nil, 0, err
		}
	}
	err = eachText(ctx, o, func(in dataset.Input, wrong *dataset.LineError) (bool, error) {
		if wrong != nil {
			bad++
			return true, nil
		}
		texts = append(texts, in)
		return len(texts) < limit, nil
	})
	if err == nil && len(texts) == 0 {
		err = dataError(`%s: no texts; name a file with one text a line, or JSON lines with a "text" field`, inputNames(files))
	}
	return texts, bad, err
}

func builtInTexts() (texts []dataset.Input, err error) {
	r, err := dataset.NewReader(strings.NewReader(examples.Bench), "bench.txt", dataset.ReaderOptions{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		in, err := r.Next()
		if err == io.EOF {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		texts = append(texts, in)
	}
}

// textsSHA256 tells whether two reports are of the same texts.
func textsSHA256(texts []dataset.Input) string {
	h := sha256.New()
	for _, in := range texts {
		io.WriteString(h, in.Text+"\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}
