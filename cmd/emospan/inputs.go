package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// checkInput refuses at once what a run would come to later: a file that is missing, unreadable or a folder.
func checkInput(path string) error {
	if path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no such input %s; name a text or JSONL file", path)
	case err != nil:
		return fmt.Errorf("input: %w", err)
	case info.IsDir():
		return fmt.Errorf("input %s is a directory; name the files in it", path)
	case !info.Mode().IsRegular():
		return nil // opening a pipe to look at it would lose its writer
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("input: %w; make it readable", err)
	}
	return f.Close()
}

// countTexts counts the lines of a plain file that are not blank; ok is false where only reading it as the run does would
// tell, as for pipes and compressed files.
func countTexts(path string) (n int, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst") {
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	blank := true
	for {
		part, err := r.ReadSlice('\n')
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if err == bufio.ErrBufferFull {
			continue
		}
		if !blank {
			n++
		}
		blank = true
		if err != nil {
			return n, err == io.EOF
		}
	}
}

func inputNames(files []string) string {
	return strings.ReplaceAll(strings.Join(files, ", "), "-", "standard input")
}
