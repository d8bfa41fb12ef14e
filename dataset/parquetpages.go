package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// What a page may hold. Writers end pages at 1 MB or some 10,000 values, those that write the largest at 100 MB.
const (
	maxPageBytes  = 256 << 20
	maxPageValues = 64 << 20
)

// checkPages walks the headers of a column's pages in a row group, before the library asks for as much memory as they name: a page must
// lie within the file, and what it unpacks to within the limits and what it says.
func checkPages(file *parquet.File, chunk *format.ColumnChunk) error {
	meta := &chunk.MetaData
	at := meta.DataPageOffset
	if meta.DictionaryPageOffset != 0 {
		at = meta.DictionaryPageOffset
	}
	if at < 0 || meta.TotalCompressedSize < 0 || at > file.Size() || meta.TotalCompressedSize > file.Size()-at {
		return errors.New("a column's pages lie outside the file")
	}
	end := at + meta.TotalCompressedSize
	var protocol thrift.CompactProtocol
	buffer := bufio.NewReader(nil)
	var unpacker unpacker
	defer unpacker.close()
	for values := int64(0); at < end && values < meta.NumValues; {
		section := io.NewSectionReader(file, at, end-at)
		buffer.Reset(section)
		if err := skimThrift(buffer, 0); err != nil {
			return fmt.Errorf("a page's header: %w", err)
		}
		if _, err := section.Seek(0, io.SeekStart); err != nil {
			return err
		}
		buffer.Reset(section)
		var header format.PageHeader
		if err := thrift.NewDecoder(protocol.NewReader(buffer)).Decode(&header); err != nil {
			return fmt.Errorf("a page's header: %w", err)
		}
		read, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		at += read - int64(buffer.Buffered())
		count := max(header.DataPageHeader.V.NumValues, header.DataPageHeaderV2.V.NumValues, header.DictionaryPageHeader.V.NumValues)
		switch size, unpacked := int64(header.CompressedPageSize), header.UncompressedPageSize; {
		case unpacked < 0 || unpacked > maxPageBytes:
			return fmt.Errorf("a page unpacks to %d bytes, more than %d", unpacked, maxPageBytes)
		case count < 0 || count > maxPageValues:
			return fmt.Errorf("a page has %d values, more than %d", count, maxPageValues)
		case size < 0 || size > end-at:
			return fmt.Errorf("a page of %d bytes would not fit into it", size)
		default:
			if err := unpacker.checkPage(meta.Codec, &header, io.NewSectionReader(file, at, size)); err != nil {
				return err
			}
			at += size
		}
		if header.Type != format.DictionaryPage {
			values += int64(count)
		}
	}
	return nil
}
