package export

import (
	"fmt"
	"io"
	"reflect"

	"github.com/emospan/emospan/dataset"
	"github.com/parquet-go/parquet-go"
)

// A row group is written out when it has this many rows or bytes of text,
// which bounds what is held in memory, here and in a reader.
const (
	rowGroupRows  = 10_000
	rowGroupBytes = 32 << 20
)

// parquetRecord is the schema of a record's row: each column required, strings
// in UTF-8, lists of three levels (list, element) as the Parquet format has
// them. Columns of few values have a dictionary. Attrs is the type of the spans'
// attributes.
type parquetRecord[Attrs any] struct {
	SrcID       string             `parquet:"src_id"`
	Model       string             `parquet:"model,dict"`
	Provider    string             `parquet:"provider,dict"`
	Prompt      string             `parquet:"prompt,dict"`
	Level       string             `parquet:"level,dict"`
	Predictions []string           `parquet:"predictions,list"`
	Text        string             `parquet:"text"`
	Data        parquetData[Attrs] `parquet:"data"`
}

type parquetData[Attrs any] struct {
	Tokens []string             `parquet:"tokens,list"`
	Labels []string             `parquet:"labels,list"`
	Spans  []parquetSpan[Attrs] `parquet:"spans,list"`
}

type parquetSpan[Attrs any] struct {
	Type    string `parquet:"type,dict"`
	Subtype string `parquet:"subtype,dict"`
	Start   int32  `parquet:"start"`
	End     int32  `parquet:"end"`
	Text    string `parquet:"text"`
	Attrs   Attrs  `parquet:"attrs"`
}

type parquetAttrs struct {
	Valence        string  `parquet:"valence,dict"`
	Intensity      string  `parquet:"intensity,dict"`
	Certainty      string  `parquet:"certainty,dict"`
	Temporality    string  `parquet:"temporality,dict"`
	Source         string  `parquet:"source,dict"`
	EmotionGroup   string  `parquet:"emotion_group,dict"`
	SentenceIndex  int32   `parquet:"sentence_index"`
	ClauseIndex    int32   `parquet:"clause_index"`
	Confidence     float64 `parquet:"confidence"`
	TargetText     string  `parquet:"target_text"`
	TargetRelation string  `parquet:"target_relation,dict"`
}

// parquetTokens is the row of the view for token classification.
type parquetTokens struct {
	ID     string   `parquet:"id"`
	Tokens []string `parquet:"tokens,list"`
	Tags   []int64  `parquet:"ner_tags,list"`
}

// rows writes rows of one type in groups of bounded size.
type rows[T any] struct {
	out   *parquet.GenericWriter[T]
	row   [1]T
	count int // of the group
	bytes int
}

func newRows[T any](w io.Writer, options ...parquet.WriterOption) *rows[T] {
	return &rows[T]{out: parquet.NewGenericWriter[T](w, append(options, parquet.Compression(&parquet.Zstd))...)}
}

// add writes the row; bytes is about what it holds.
func (r *rows[T]) add(bytes int) error {
	if _, err := r.out.Write(r.row[:]); err != nil {
		return err
	}
	r.count++
	r.bytes += bytes
	if r.count < rowGroupRows && r.bytes < rowGroupBytes {
		return nil
	}
	r.count, r.bytes = 0, 0
	return r.out.Flush()
}

func (r *rows[T]) close() error { return r.out.Close() }

// parquetWriter writes whole records.
type parquetWriter struct {
	notes
	rows *rows[parquetRecord[parquetAttrs]]
}

func newParquet(w io.Writer, o Options) (Writer, error) {
	if len(o.Taxonomy.Further()) > 0 {
		return newFurtherParquet(w, o.Taxonomy), nil
	}
	return &parquetWriter{rows: newRows[parquetRecord[parquetAttrs]](w, recordSchema(reflect.TypeFor[parquetRecord[parquetAttrs]]()))}, nil
}

// recordSchema is a row type's schema, under a name without the type's parameters.
func recordSchema(t reflect.Type) *parquet.Schema {
	return parquet.NewSchema("parquetRecord", parquet.SchemaOf(reflect.New(t).Interface()))
}

func (p *parquetWriter) Write(r *dataset.Record) error {
	row := &p.rows.row[0]
	size := row.set(r, newParquetAttrs)
	return p.rows.add(size)
}

// set fills in a record, its spans' attributes by attrs, and returns about what
// it holds, in bytes.
func (row *parquetRecord[Attrs]) set(r *dataset.Record, attrs func(*dataset.Attrs) Attrs) (size int) {
	spans := row.Data.Spans[:0]
	size = len(r.Text)
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		spans = append(spans, parquetSpan[Attrs]{
			Type: s.Type, Subtype: s.Subtype, Start: int32(s.Start), End: int32(s.End), Text: s.Text, Attrs: attrs(&s.Attrs),
		})
		size += len(s.Text) + len(s.Attrs.TargetText) + 64
	}
	for _, token := range r.Data.Tokens {
		size += len(token) + 16
	}
	*row = parquetRecord[Attrs]{
		SrcID: r.SrcID, Model: r.Model, Provider: r.Provider, Prompt: r.Prompt, Level: r.Level,
		Predictions: r.Predictions, Text: r.Text, Data: parquetData[Attrs]{r.Data.Tokens, r.Data.Labels, spans},
	}
	return size
}

func newParquetAttrs(a *dataset.Attrs) parquetAttrs {
	return parquetAttrs{
		Valence: a.Valence, Intensity: a.Intensity, Certainty: a.Certainty, Temporality: a.Temporality, Source: a.Source,
		EmotionGroup: a.EmotionGroup, SentenceIndex: int32(a.SentenceIndex), ClauseIndex: int32(a.ClauseIndex),
		Confidence: a.Confidence, TargetText: a.TargetText, TargetRelation: a.TargetRelation,
	}
}

func (p *parquetWriter) Close() error { return p.rows.close() }

// tokenView writes the view for token classification. What the numbers of
// ner_tags stand for is said in the README: datasets would take class labels
// from the file only if its columns could hold nulls.
type tokenView struct {
	rows  *rows[parquetTokens]
	names Names
	ids   map[string]int64 // of tags
	tags  []string
}

func newTokenView(w io.Writer, o Options) *tokenView {
	v := &tokenView{rows: newRows[parquetTokens](w), names: o.Names, ids: make(map[string]int64)}
	for i, tag := range o.Names.tags(o.Taxonomy) {
		v.ids[tag] = int64(i)
	}
	return v
}

func (v *tokenView) write(r *dataset.Record) error {
	row := &v.rows.row[0]
	row.ID, row.Tokens, row.Tags = r.SrcID, r.Data.Tokens, row.Tags[:0]
	size := 0
	v.tags = v.names.tag(v.tags[:0], r)
	for i, tag := range v.tags {
		id, ok := v.ids[tag]
		if !ok {
			return fmt.Errorf("record %q: the tag %s is not one of the taxonomy's", r.SrcID, tag)
		}
		row.Tags = append(row.Tags, id)
		size += len(r.Data.Tokens[i]) + 16
	}
	return v.rows.add(size)
}

func (v *tokenView) close() error { return v.rows.close() }
