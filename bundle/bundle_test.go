package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/models"
)

// program is an executable to bundle: this test's, whose ELF tables are real.
func program(t *testing.T) []byte {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size, err := ProgramSize(bytes.NewReader(data))
	if err != nil || size > int64(len(data)) {
		t.Fatalf("the test's executable has %d bytes, its tables end at %d: %v", len(data), size, err)
	}
	return data[:size]
}

// gguf is a small file that package models reads: a tensor of 32 numbers and no keys.
func gguf(fill byte) []byte {
	var b []byte
	u32 := func(n uint32) { b = binary.LittleEndian.AppendUint32(b, n) }
	u64 := func(n uint64) { b = binary.LittleEndian.AppendUint64(b, n) }
	b = append(b, "GGUF"...)
	u32(3) // version
	u64(1) // tensors
	u64(0) // keys
	u64(1)
	b = append(b, 't')
	u32(1) // dimensions
	u64(32)
	u32(uint32(models.F32))
	u64(0) // offset
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	return append(b, bytes.Repeat([]byte{fill}, 128)...)
}

func modelFileOf(t *testing.T, data []byte) models.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.gguf")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return models.Model{Name: "small.gguf", Path: path}
}

func write(t *testing.T, executable []byte, m models.Model, files ...Content) []byte {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := Write(t.Context(), out, bytes.NewReader(executable), m, files); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t *testing.T, data []byte) *Bundle {
	t.Helper()
	b, err := Read(bytes.NewReader(data), int64(len(data)), "bundle")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	exe, weights := program(t), gguf(7)
	if _, err := Read(bytes.NewReader(exe), int64(len(exe)), ""); !errors.Is(err, ErrNone) {
		t.Fatalf("a program alone: %v", err)
	}
	data := write(t, exe, modelFileOf(t, weights), Content{Prompt, "mine", []byte("a prompt")}, Content{Taxonomy, "t.json", nil})
	if !bytes.HasPrefix(data, exe) {
		t.Error("the bundle does not begin with the program")
	}
	b := read(t, data)
	m := b.Weights()
	if m.Name != "small.gguf" || m.SHA256 != fmt.Sprintf("%x", sha256.Sum256(weights)) || m.Part.Offset%align != 0 ||
		!bytes.Equal(data[m.Part.Offset:m.Part.Offset+m.Part.Size], weights) {
		t.Errorf("model %+v", m)
	}
	if name, text, ok := b.Content(Prompt); !ok || name != "mine" || string(text) != "a prompt" {
		t.Errorf("prompt %q %q %v", name, text, ok)
	}
	if _, text, ok := b.Content(Taxonomy); !ok || len(text) != 0 {
		t.Errorf("taxonomy %q %v", text, ok)
	}
	if _, _, ok := b.Content(Calibration); ok {
		t.Error("a calibration from nowhere")
	}
	if err := b.Verify(t.Context()); err != nil {
		t.Error(err)
	}

	// A bundle as the program: the new model takes the place of the old one.
	other := write(t, data, modelFileOf(t, gguf(9)))
	if want := write(t, exe, modelFileOf(t, gguf(9))); !bytes.Equal(other, want) {
		t.Error("a bundle made from a bundle is not the one made from its program")
	}
}

func TestExtract(t *testing.T) {
	exe, weights := program(t), gguf(7)
	m := modelFileOf(t, weights)
	m.Name = "../up/llama3:instruct"
	b := read(t, write(t, exe, m, Content{Prompt, "mine", []byte("a prompt")}))
	dir := filepath.Join(t.TempDir(), "new")
	names, err := b.Extract(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int][]byte{0: exe, 1: weights, 2: []byte("a prompt")} {
		if got, err := os.ReadFile(names[i]); err != nil || !bytes.Equal(got, want) || filepath.Dir(names[i]) != dir {
			t.Errorf("%s: %d bytes, %v", names[i], len(got), err)
		}
	}
	if names[1] != filepath.Join(dir, "_up_llama3_instruct.gguf") {
		t.Errorf("the model is %s", names[1])
	}
	if _, err := b.Extract(t.Context(), dir); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("%d files are left of the three that were there", len(left))
	}
}

// What is wrong is said when the file is read; a change of the program's or the model's bytes only when it is verified.
func TestDamage(t *testing.T) {
	exe := program(t)
	whole := write(t, exe, modelFileOf(t, gguf(7)), Content{Prompt, "mine", []byte("a prompt")})
	header := int(roundUp(int64(len(exe))))
	prompt := len(whole) - len("a prompt")
	b := read(t, whole)
	flip := func(at int) func([]byte) []byte {
		return func(d []byte) []byte { d[at] ^= 1; return d }
	}
	cut := func(n int) func([]byte) []byte { return func(d []byte) []byte { return d[:n] } }
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"cut in the program":    {cut(len(exe) / 2), "cut short|cannot be read"},
		"cut before its end":    {cut(len(exe) - 1), "cut short|cannot be read"},
		"cut in the header":     {cut(header + 20), "cut short"},
		"cut in the index":      {cut(header + fixedSize + 30), "cut short"},
		"cut in the model":      {cut(int(b.Weights().Part.Offset) + 5), "cut short"},
		"cut before the model":  {cut(int(b.Weights().Part.Offset)), "cut short"},
		"the last byte missing": {cut(len(whole) - 1), "cut short"},
		"a byte more":           {func(d []byte) []byte { return append(d, 0) }, "longer"},
		"a flip in the magic":   {flip(header), "not a bundle's header"},
		"a flip in the length":  {flip(header + len(magic)), "changed|cut"},
		"a flip in the hash":    {flip(header + len(magic) + 8), "header has changed"},
		"a flip in the index":   {flip(header + fixedSize + 3), "header has changed"},
		"a flip in the prompt":  {flip(prompt), "prompt has changed"},
		"another file behind it": {func(d []byte) []byte {
			return append(d[:header:header], "something else entirely, long enough to be a header or so"...)
		}, "not a bundle's header"},
	} {
		data := c.change(bytes.Clone(whole))
		_, err := Read(bytes.NewReader(data), int64(len(data)), "")
		if err == nil || errors.Is(err, ErrNone) || !containsAny(err.Error(), strings.Split(c.want, "|")) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for name, at := range map[string]int{"program": len(exe) / 2, "model": int(b.Weights().Part.Offset + b.Weights().Part.Size - 1)} {
		data := flip(at)(bytes.Clone(whole))
		damaged, err := Read(bytes.NewReader(data), int64(len(data)), "")
		if err != nil {
			t.Errorf("a flip in the %s is seen at once: %v", name, err)
			continue
		}
		if err := damaged.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), name+" has changed") {
			t.Errorf("a flip in the %s: %v", name, err)
		}
		if _, err := damaged.Extract(t.Context(), t.TempDir()); err == nil {
			t.Errorf("a flip in the %s: extracted all the same", name)
		}
	}
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// An index with places outside the file, or over each other, is refused whatever its hash says.
func TestHostileIndex(t *testing.T) {
	exe := program(t)
	whole := write(t, exe, modelFileOf(t, gguf(7)), Content{Prompt, "mine", []byte("a prompt")})
	header := roundUp(int64(len(exe)))
	for name, change := range map[string]func(*Index){
		"a model in the program":   func(x *Index) { x.Model.Offset = 0 },
		"a model beyond the end":   func(x *Index) { x.Model.Offset = 1 << 62 },
		"a negative size":          func(x *Index) { x.Model.Size = -1 },
		"a size that overflows":    func(x *Index) { x.Model.Size = 1<<63 - 1 },
		"an unaligned model":       func(x *Index) { x.Model.Offset += 32; x.Model.Size -= 32 },
		"a prompt over the model":  func(x *Index) { x.Files[0].Offset = x.Model.Offset },
		"a prompt of gigabytes":    func(x *Index) { x.Files[0].Size = 1 << 40 },
		"no hash":                  func(x *Index) { x.Model.SHA256 = "" },
		"no name":                  func(x *Index) { x.Model.Name = "" },
		"a program of another end": func(x *Index) { x.Program.Size-- },
		"another format":           func(x *Index) { x.Format = 2 },
	} {
		x := read(t, whole).Index
		x.Files = append([]File(nil), x.Files...)
		change(&x)
		text, err := x.header()
		if err != nil {
			t.Fatal(err)
		}
		data := bytes.Clone(whole)
		copy(data[header:], text)
		if b, err := Read(bytes.NewReader(data), int64(len(data)), ""); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

// A model whose file is not what its hash says, or a copy that is called off, makes no bundle.
// FuzzRead: what follows the program may be anything: it is a bundle whose pieces lie within the file, or refused.
func FuzzRead(f *testing.F) {
	program := tinyELF()
	frame := func(index string) []byte {
		sum := sha256.Sum256([]byte(index))
		return slices.Concat([]byte(magic), binary.LittleEndian.AppendUint64(nil, uint64(len(index))), sum[:], []byte(index))
	}
	f.Add([]byte{}, "")
	f.Add(frame("{}"), `{"format":1}`)
	f.Add([]byte(magic), `{"format":1,"size":9000,"program":{"size":64},"model":{"name":"m","offset":8192,"size":9},"files":[{"role":"prompt","name":"p","offset":8192,"size":1}]}`)
	f.Fuzz(func(t *testing.T, tail []byte, index string) {
		for _, tail := range [][]byte{tail, append(frame(index), tail...)} {
			file := slices.Concat(program, make([]byte, roundUp(int64(len(program)))-int64(len(program))), tail)
			size := int64(len(file))
			b, err := Read(bytes.NewReader(file), size, "x")
			if err != nil {
				if strings.ContainsAny(err.Error(), "\n\r") {
					t.Errorf("error of more than one line: %q", err)
				}
				continue
			}
			if m := b.Weights(); m.Part.Offset < int64(len(program)) || m.Part.Size > size-m.Part.Offset {
				t.Errorf("the model lies at %d, %d bytes long, in a file of %d", m.Part.Offset, m.Part.Size, size)
			}
		}
	})
}

// tinyELF is the least that counts as an executable: a header, and no tables.
func tinyELF() []byte {
	file := make([]byte, 64)
	copy(file, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(file[16:], 2)
	binary.LittleEndian.PutUint16(file[18:], 62)
	binary.LittleEndian.PutUint32(file[20:], 1)
	binary.LittleEndian.PutUint16(file[52:], 64)
	return file
}

func TestWriteFails(t *testing.T) {
	exe := program(t)
	m := modelFileOf(t, gguf(7))
	m.SHA256 = strings.Repeat("0", 64)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := Write(t.Context(), out, bytes.NewReader(exe), m, nil); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a wrong hash: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, out, bytes.NewReader(exe), modelFileOf(t, gguf(7)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}
