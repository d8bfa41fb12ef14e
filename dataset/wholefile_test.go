package dataset

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestInputCut cuts an input short while it is read: what was read before is whole, and the end is an error, not the end of the texts.
func TestInputCut(t *testing.T) {
	const text = "The kettle whistles and nobody minds, number %d of the day."
	const n = 40000
	type row struct {
		Text string `parquet:"text"`
	}
	lines := func(head, line string) func(f *os.File) error {
		return func(f *os.File) error {
			_, err := f.WriteString(head + strings.Repeat(line+"\n", n))
			return err
		}
	}
	for name, write := range map[string]func(f *os.File) error{
		"in.txt":   lines("", text),
		"in.jsonl": lines("", `{"text":"`+text+`"}`),
		"in.csv":   lines("text\n", `"`+text+`"`),
		"in.tsv":   lines("text\n", text),
		"in.gz": func(f *os.File) error {
			z := gzip.NewWriter(f)
			for i := range n {
				fmt.Fprintf(z, "%d %d %d %d %d\n", i*i, i*7919, i*104729, i*i*i, i*1299709)
			}
			return z.Close()
		},
		"in.parquet": func(f *os.File) error {
			w := parquet.NewGenericWriter[row](f)
			for i := range n {
				if _, err := w.Write([]row{{fmt.Sprintf(text+" %d", i, i*i)}}); err != nil {
					return err
				}
				if i%1000 == 999 {
					if err := w.Flush(); err != nil {
						return err
					}
				}
			}
			return w.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			f, err := os.Create(path)
			if err == nil {
				err = errors.Join(write(f), f.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := OpenInput(path, ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			first, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, 1000); err != nil {
				t.Fatal(err)
			}
			texts := 1
			for {
				in, err := r.Next()
				if err == nil {
					if texts++; strings.Contains(first.Text, "kettle") && !strings.Contains(in.Text, " of the day.") {
						t.Fatalf("text %d is cut: %q", texts, in.Text)
					}
					continue
				}
				var bad *LineError
				switch {
				case err == io.EOF || errors.As(err, &bad):
					t.Errorf("after %d texts: %v", texts, err)
				case name != "in.gz" && name != "in.parquet" && !strings.Contains(err.Error(), " to 1000 bytes while it was read"):
					t.Errorf("after %d texts another error: %v", texts, err)
				}
				if texts >= n {
					t.Errorf("%d texts", texts)
				}
				t.Log(texts, err)
				return
			}
		})
	}
}
