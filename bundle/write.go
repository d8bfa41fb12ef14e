package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/models"
)

// A Content is a smaller file to be bundled.
type Content struct {
	Role Role
	Name string
	Data []byte
}

// Write makes a bundle of the program that the executable begins with, whether
// it is a bundle already or not, and a model. The model is hashed on the way; if
// its hash is not the one that was noted for it, that is an error. out is an
// empty file; it is not synced.
func Write(ctx context.Context, out *os.File, executable io.ReaderAt, m models.Model, files []Content) (Index, error) {
	program, err := ProgramSize(executable)
	if err != nil {
		return Index{}, err
	}
	gguf, err := m.Open()
	if err != nil {
		return Index{}, err
	}
	defer gguf.Close()
	x := Index{Format: format, Program: Piece{Size: program, SHA256: noHash}, Files: []File{}}
	x.Model = Weights{Name: m.Name, Piece: Piece{Size: gguf.Size(), SHA256: noHash}, Meta: models.Meta{Source: m.Name, License: gguf.License()}}
	if m.Entry != nil {
		x.Model.Meta = m.Entry.Meta
	}
	for _, f := range files {
		if int64(len(f.Data)) > fileLimit {
			return Index{}, fmt.Errorf("%s: it has %d bytes, more than %d", f.Name, len(f.Data), fileLimit)
		}
		sum := sha256.Sum256(f.Data)
		x.Files = append(x.Files, File{f.Role, f.Name, Piece{Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:])}})
	}
	header := roundUp(program)
	room, err := x.layOut(header)
	if err != nil {
		return Index{}, err
	}

	if x.Program.SHA256, err = copyPiece(ctx, out, x.Program, io.NewSectionReader(executable, 0, program)); err != nil {
		return Index{}, err
	}
	if x.Model.SHA256, err = copyPiece(ctx, out, x.Model.Piece, gguf.Content()); err != nil {
		return Index{}, err
	}
	if m.SHA256 != "" && x.Model.SHA256 != m.SHA256 {
		return Index{}, fmt.Errorf("model %q is damaged: its GGUF file has sha256 %s, expected %s; fetch or import it again", m.Name, x.Model.SHA256, m.SHA256)
	}
	for i, f := range files {
		if _, err := out.WriteAt(f.Data, x.Files[i].Offset); err != nil {
			return Index{}, err
		}
	}
	text, err := x.header()
	if err != nil {
		return Index{}, err
	}
	if int64(len(text)) > room {
		return Index{}, errors.New("the header has no room")
	}
	if _, err := out.WriteAt(text, header); err != nil {
		return Index{}, err
	}
	return x, out.Truncate(x.Size)
}

// noHash takes the room of a hash that is not known yet.
var noHash = strings.Repeat("0", 2*sha256.Size)

// layOut gives each piece its place and returns the room for the header.
func (x *Index) layOut(header int64) (room int64, err error) {
	text, err := x.header()
	if err != nil {
		return 0, err
	}
	const digits = 20 // of an offset, which is 0 so far
	room = int64(len(text) + digits*(len(x.Files)+2))
	if room > indexLimit {
		return 0, fmt.Errorf("the header would have %d bytes, more than %d", room, indexLimit)
	}
	x.Model.Offset = roundUp(header + room)
	end := x.Model.Offset + x.Model.Size
	for i := range x.Files {
		x.Files[i].Offset = end
		end += x.Files[i].Size
	}
	x.Size = end
	return room, nil
}

func (x *Index) header() ([]byte, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	b := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(text)))
	return append(append(b, sum[:]...), text...), nil
}

// copyPiece writes a piece to its place and returns its hash.
func copyPiece(ctx context.Context, out io.WriterAt, p Piece, src io.Reader) (string, error) {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(io.NewOffsetWriter(out, p.Offset), hash), models.ContextReader(ctx, src))
	if err == nil && n != p.Size {
		err = fmt.Errorf("%d bytes instead of %d: the file has changed while it was read", n, p.Size)
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// Verify reads the whole bundle and compares each piece with its hash.
func (b *Bundle) Verify(ctx context.Context) error {
	for _, p := range b.pieces() {
		hash := sha256.New()
		if _, err := io.Copy(hash, models.ContextReader(ctx, io.NewSectionReader(b.file, p.Offset, p.Size))); err != nil {
			return err
		}
		if sum := hex.EncodeToString(hash.Sum(nil)); sum != p.SHA256 {
			return fmt.Errorf("its %s has changed: sha256 %s, expected %s", p.what, sum, p.SHA256)
		}
	}
	return nil
}

// Extract writes each piece to a file of its own in a folder, which it makes,
// and returns their names. It replaces no file, and removes what it has written
// where it fails.
func (b *Bundle) Extract(ctx context.Context, dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, name := range names {
				os.Remove(name)
			}
			names = nil
		}
	}()
	for _, p := range b.pieces() {
		path := filepath.Join(dir, p.name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, p.mode)
		if err != nil {
			return names, err
		}
		names = append(names, path)
		sum, err := copyPiece(ctx, f, Piece{Size: p.Size}, io.NewSectionReader(b.file, p.Offset, p.Size))
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return names, err
		}
		if sum != p.SHA256 {
			return names, fmt.Errorf("its %s has changed: sha256 %s, expected %s", p.what, sum, p.SHA256)
		}
	}
	return names, nil
}

type namedPiece struct {
	what string
	name string // of the file that it is extracted to
	mode os.FileMode
	Piece
}

func (b *Bundle) pieces() []namedPiece {
	list := []namedPiece{
		{"program", "emospan", 0o777, b.Program},
		{"model", modelFile(b.Index.Model.Name), 0o666, b.Index.Model.Piece},
	}
	for _, f := range b.Files {
		name := string(f.Role) + ".json"
		if f.Role == Prompt {
			name = "prompt.txt"
		}
		list = append(list, namedPiece{string(f.Role), name, 0o666, f.Piece})
	}
	return list
}

// modelFile names a model's file after the model, without anything that would lead elsewhere or hide it.
func modelFile(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_.", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	name = strings.TrimLeft(name, ".")
	if !strings.HasSuffix(strings.ToLower(name), ".gguf") {
		name += ".gguf"
	}
	return name
}
