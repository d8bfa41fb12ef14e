package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// An unpacker unpacks pages no further than a limit. The library takes what a page's header says for a hint and allocates whatever
// the packed bytes come to; of a damaged page of LZ4 without end.
type unpacker struct {
	zstd             *zstd.Decoder
	packed, unpacked []byte // scratch
}

var errUnpacksToMore = errors.New("it unpacks to more bytes than its header says")

// checkPage returns an error unless a page unpacks to as many bytes as its header says, or fewer. What is not packed is not read.
func (u *unpacker) checkPage(codec format.CompressionCodec, header *format.PageHeader, page *io.SectionReader) error {
	isPacked, levels := codec != format.Uncompressed, int64(0)
	if header.Type == format.DataPageV2 {
		v2 := &header.DataPageHeaderV2.V
		repetition, definition := int64(v2.RepetitionLevelsByteLength), int64(v2.DefinitionLevelsByteLength)
		if repetition < 0 || definition < 0 || repetition+definition > page.Size() {
			return fmt.Errorf("a page of %d bytes has levels of %d and %d", page.Size(), repetition, definition)
		}
		levels = repetition + definition
		isPacked = isPacked && (!v2.IsCompressed.Valid || v2.IsCompressed.V)
	}
	if !isPacked {
		return nil
	}
	packed := room(&u.packed, int(page.Size()-levels))
	if n, err := page.ReadAt(packed, levels); n < len(packed) {
		return err
	}
	if err := u.check(codec, packed, int(header.UncompressedPageSize)); err != nil {
		return fmt.Errorf("a page in %v: %w", codec, err)
	}
	return nil
}

// check returns an error unless packed can be unpacked and comes to limit bytes at most.
func (u *unpacker) check(codec format.CompressionCodec, packed []byte, limit int) error {
	var reader io.Reader
	switch codec {
	case format.Snappy: // it begins with its length, which the library holds it to
		n, err := snappy.DecodedLen(packed)
		if err == nil && n > limit {
			err = errUnpacksToMore
		}
		return err
	case format.Lz4Raw:
		_, err := lz4.UncompressBlock(packed, room(&u.unpacked, limit))
		return err
	case format.Zstd:
		if u.zstd == nil {
			d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
			if err != nil {
				return err
			}
			u.zstd = d
		}
		_, err := u.zstd.DecodeAll(packed, room(&u.unpacked, limit)[:0])
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			err = errUnpacksToMore
		}
		return err
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err
		}
		reader = r
	case format.Brotli:
		reader = brotli.NewReader(bytes.NewReader(packed))
	default:
		return errors.New("not a way to pack that is read here")
	}
	n, err := io.Copy(io.Discard, io.LimitReader(reader, int64(limit)+1))
	if err == nil && n > int64(limit) {
		err = errUnpacksToMore
	}
	return err
}

// room is a buffer of so many bytes and no more, the same memory each time where it suffices.
func room(buf *[]byte, n int) []byte {
	*buf = slices.Grow((*buf)[:0], n)
	return (*buf)[:n:n]
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}
