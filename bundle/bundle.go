package bundle

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/emospan/emospan/models"
)

const (
	magic      = "emospan bundle\r\n" // a transfer as text would change its end
	align      = 4096                 // of the header and the GGUF, whose tensors need 32
	fixedSize  = len(magic) + 8 + sha256.Size
	indexLimit = 1 << 20
	fileLimit  = 64 << 20
	format     = 1
)

// ErrNone is returned by [Read] for an executable without a bundle.
var ErrNone = errors.New("it holds no model")

// A Role says what a file of a bundle is for.
type Role string

// The roles.
const (
	Prompt      Role = "prompt"      // a prompt template, whose name the records carry
	Taxonomy    Role = "taxonomy"    // emotions and vocabularies
	Calibration Role = "calibration" // of the model
)

// A Piece is a stretch of the file.
type Piece struct {
	Offset int64  `json:"offset"` // bytes from the file's beginning
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // hexadecimal
}

// A File is one of the smaller files.
type File struct {
	Role Role   `json:"role"`
	Name string `json:"name"`
	Piece
}

// An Index is what a header says.
type Index struct {
	Format  int     `json:"format"`
	Size    int64   `json:"size"` // of the whole file, bytes
	Program Piece   `json:"program"`
	Model   Weights `json:"model"`
	Files   []File  `json:"files"`
}

// Weights is the model's GGUF file and what was known of it.
type Weights struct {
	Name string `json:"name"`
	Piece
	models.Meta
}

// A Bundle is an executable with its pieces. Its methods may be called by
// several goroutines at once.
type Bundle struct {
	Index
	path  string
	file  io.ReaderAt
	files [][]byte // content of Index.Files
}

// ProgramSize returns how many bytes of an executable its ELF tables account
// for. What an ELF file says beyond them, nothing reads.
func ProgramSize(f io.ReaderAt) (int64, error) {
	e, err := elf.NewFile(f)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	// debug/elf has read the section table but does not tell where it is.
	var head [64]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0, err
	}
	if e.Class != elf.ELFCLASS64 {
		return 0, fmt.Errorf("%v, expected a 64-bit executable", e.Class)
	}
	order := e.ByteOrder
	end := order.Uint64(head[40:]) + uint64(order.Uint16(head[58:]))*uint64(order.Uint16(head[60:])) // e_shoff, e_shentsize, e_shnum
	for _, p := range e.Progs {
		end = max(end, p.Off+p.Filesz)
	}
	for _, s := range e.Sections {
		if s.Type != elf.SHT_NOBITS {
			end = max(end, s.Offset+s.FileSize)
		}
	}
	if int64(end) < 0 {
		return 0, errors.New("its ELF tables name places beyond any file")
	}
	return int64(end), nil
}

// Read finds the bundle in an executable of size bytes, which must stay readable
// for as long as the result is used. It returns [ErrNone] where there is none,
// and another error where there is a damaged one: cut short, lengthened, or
// changed in its header or smaller files. path is what the model can be opened by.
func Read(f io.ReaderAt, size int64, path string) (*Bundle, error) {
	program, err := ProgramSize(f)
	if err != nil {
		return nil, fmt.Errorf("the executable cannot be read: %w", err)
	}
	if program > size {
		return nil, fmt.Errorf("the executable is cut short: it has %d bytes, its program alone %d", size, program)
	}
	at := roundUp(program)
	if size <= at {
		return nil, ErrNone
	}
	index, err := readIndex(io.NewSectionReader(f, at, size-at), size)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Index: index, path: path, file: f}
	if err := b.check(program, at, size); err != nil {
		return nil, err
	}
	for _, file := range b.Files {
		data := make([]byte, file.Size)
		if _, err := io.ReadFull(io.NewSectionReader(f, file.Offset, file.Size), data); err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != file.SHA256 {
			return nil, fmt.Errorf("its %s has changed: sha256 %x, expected %s", file.Role, sum, file.SHA256)
		}
		b.files = append(b.files, data)
	}
	return b, nil
}

func readIndex(r io.Reader, size int64) (index Index, err error) {
	fixed := make([]byte, fixedSize)
	if _, err := io.ReadFull(r, fixed); err != nil {
		return index, fmt.Errorf("it is cut short: it has %d bytes, and ends in its header", size)
	}
	if string(fixed[:len(magic)]) != magic {
		return index, errors.New("what stands behind the program is not a bundle's header")
	}
	n := binary.LittleEndian.Uint64(fixed[len(magic):])
	if n > indexLimit {
		return index, errors.New("its header has changed: it names an impossible length")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return index, fmt.Errorf("it is cut short: it has %d bytes, and ends in its header", size)
	}
	if sum := sha256.Sum256(text); !bytes.Equal(sum[:], fixed[len(magic)+8:]) {
		return index, errors.New("its header has changed: its hash is another")
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return index, fmt.Errorf("its header cannot be read: %w", err)
	}
	if index.Format != format {
		return index, fmt.Errorf("its header has format %d, this program reads %d", index.Format, format)
	}
	return index, nil
}

// check holds the pieces against the file: in order, apart, and all within it.
func (b *Bundle) check(program, header, size int64) error {
	if b.Size != size {
		what := "cut short"
		if size > b.Size {
			what = "longer than it was"
		}
		return fmt.Errorf("it is %s: it has %d bytes, expected %d", what, size, b.Size)
	}
	if b.Program.Offset != 0 || b.Program.Size != program {
		return fmt.Errorf("its program has %d bytes, expected %d", program, b.Program.Size)
	}
	end := header + int64(fixedSize)
	pieces := []Piece{b.Model.Piece}
	for _, f := range b.Files {
		if f.Size > fileLimit {
			return fmt.Errorf("its %s has %d bytes, more than %d", f.Role, f.Size, fileLimit)
		}
		pieces = append(pieces, f.Piece)
	}
	for _, p := range pieces {
		if p.Offset < end || p.Size < 0 || p.Offset > size || p.Size > size-p.Offset {
			return errors.New("its header names places that overlap or lie outside it")
		}
		end = p.Offset + p.Size
	}
	if b.Model.Offset%align != 0 {
		return fmt.Errorf("its model begins at byte %d, expected a multiple of %d", b.Model.Offset, align)
	}
	if sum, err := hex.DecodeString(b.Model.SHA256); err != nil || len(sum) != sha256.Size || b.Model.Name == "" {
		return errors.New("its header lacks the model's name or hash")
	}
	return nil
}

// Weights returns the model, to be mapped from where it is.
func (b *Bundle) Weights() models.Model {
	w := b.Index.Model
	return models.Model{
		Name: w.Name, Path: b.path, SHA256: w.SHA256, Part: &models.Part{Offset: w.Offset, Size: w.Size},
		Entry: &models.Entry{Name: w.Name, SHA256: w.SHA256, Size: w.Size, Meta: w.Meta, Path: b.path},
	}
}

// Content returns the file of a role and its name; ok is false where there is none.
func (b *Bundle) Content(role Role) (name string, data []byte, ok bool) {
	for i, f := range b.Files {
		if f.Role == role {
			return f.Name, b.files[i], true
		}
	}
	return "", nil, false
}

func roundUp(n int64) int64 { return (n + align - 1) / align * align }
