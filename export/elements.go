package export

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// elements writes JSON values, each on a line of its own: as the elements of
// one array, or bare, which is JSON Lines.
type elements struct {
	w     io.Writer
	array bool
	begun bool
	line  []byte
}

// add writes a value. Nothing in it but its last newline is one to Python's
// str.splitlines, which some readers of JSON Lines use.
func (e *elements) add(v any) error {
	data, err := json.Marshal(v, jsontext.EscapeForJS(true)) // U+2028 and U+2029
	if err != nil {
		return err
	}
	data = bytes.ReplaceAll(data, []byte("\u0085"), []byte(`\u0085`))
	before, after := "", "\n"
	if e.array {
		before, after = ",\n", ""
		if !e.begun {
			before = "[\n"
		}
	}
	e.begun = true
	e.line = append(append(append(e.line[:0], before...), data...), after...)
	_, err = e.w.Write(e.line)
	return err
}

func (e *elements) close() error {
	end := ""
	if e.array {
		end = "\n]\n"
		if !e.begun {
			end = "[]\n"
		}
	}
	_, err := io.WriteString(e.w, end)
	return err
}
