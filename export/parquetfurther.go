package export

import (
	"fmt"
	"io"
	"reflect"

	"github.com/emospan/emospan/dataset"
)

// furtherParquet writes whole records whose spans have attributes that the
// taxonomy adds. No Go type has just these columns, so the schema is that of
// one made here, and a row's attributes are a map that is written under it.
type furtherParquet struct {
	notes
	rows *rows[any]
	row  parquetRecord[map[string]any]
	tax  *dataset.Taxonomy
}

func newFurtherParquet(w io.Writer, tax *dataset.Taxonomy) *furtherParquet {
	attrs := reflect.VisibleFields(reflect.TypeFor[parquetAttrs]())
	for i, v := range tax.Further() {
		attrs = append(attrs, reflect.StructField{
			Name: fmt.Sprint("Further", i), Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`parquet:"` + v.Name + `,dict"`),
		})
	}
	span := withField(reflect.TypeFor[parquetSpan[parquetAttrs]](), "Attrs", reflect.StructOf(attrs))
	data := withField(reflect.TypeFor[parquetData[parquetAttrs]](), "Spans", reflect.SliceOf(span))
	record := withField(reflect.TypeFor[parquetRecord[parquetAttrs]](), "Data", data)
	return &furtherParquet{rows: newRows[any](w, recordSchema(record)), tax: tax}
}

// withField is a struct type with one of its fields of another type.
func withField(of reflect.Type, name string, t reflect.Type) reflect.Type {
	fields := reflect.VisibleFields(of)
	for i := range fields {
		if fields[i].Name == name {
			fields[i].Type = t
		}
	}
	return reflect.StructOf(fields)
}

func (p *furtherParquet) Write(r *dataset.Record) error {
	size := p.row.set(r, func(a *dataset.Attrs) map[string]any {
		m := map[string]any{
			"sentence_index": int32(a.SentenceIndex), "clause_index": int32(a.ClauseIndex),
			"confidence": a.Confidence, "target_text": a.TargetText,
		}
		for _, v := range p.tax.Attributes() {
			m[v.Name] = *a.Field(v.Name)
		}
		return m
	})
	p.rows.row[0] = &p.row
	return p.rows.add(size)
}

func (p *furtherParquet) Close() error { return p.rows.close() }
