package agreement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestMatch pairs lines of labels, written as id:text.
func TestMatch(t *testing.T) {
	book := testBook(t)
	lines := func(list string) string {
		var b strings.Builder
		for part := range strings.FieldsSeq(list) {
			id, text, hasText := strings.Cut(part, ":")
			b.WriteString(`{"labels":["joy"]`)
			if id != "" {
				fmt.Fprintf(&b, `,"src_id":%q`, id)
			}
			if hasText {
				fmt.Fprintf(&b, `,"text":%q`, strings.ReplaceAll(text, "_", "  "))
			}
			b.WriteString("}\n")
		}
		return b.String()
	}
	for _, test := range []struct {
		name            string
		by              By
		reference, file string
		want            string // the reference's number for each line of the file
		count           Pairing
	}{
		{"ids", ByAuto, "a:x b:y c:z", "c:z a:x d:w", "2 0 –", Pairing{Reference: 3, ReferenceUnmatched: 1, Records: 3, Unmatched: 1, Matched: 2, ByID: 2}},
		{"texts", ByAuto, "a:x b:y", "1:y 2:x", "1 0", Pairing{Reference: 2, Records: 2, Matched: 2, ByText: 2}},
		{"white space", ByAuto, "a:x_y :z_", "1:_xy :_z", "0 1", Pairing{Reference: 2, Records: 2, Matched: 2, ByText: 2}},
		{"one text several times", ByAuto, "a:x b:x c:x", "1:x 2:x 3:x 4:x", "0 1 2 –", Pairing{Reference: 3, Records: 4, Duplicates: 1, Matched: 3, ByText: 3}},
		{"some of them by id", ByAuto, "a:x b:x c:x", "b:x 1:x 2:x b:x", "1 0 2 –", Pairing{Reference: 3, Records: 4, Duplicates: 1, Matched: 3, ByID: 1, ByText: 2}},
		{"same ids of other texts", ByAuto, "l2_0:x l2_1:y", "l2_0:y l2_1:x l2_2:y", "1 0 –", Pairing{Reference: 2, Records: 3, Duplicates: 1, Matched: 2, ByText: 2, OtherText: 2}},
		{"duplicate in the file", ByAuto, "a:x b:y", "a:x a:x", "0 –", Pairing{Reference: 2, ReferenceUnmatched: 1, Records: 2, Duplicates: 1, Matched: 1, ByID: 1}},
		{"duplicate in the reference", ByAuto, "a:x a:x a:y", "a:x a:y 1:x", "0 2 –", Pairing{Reference: 3, ReferenceDuplicates: 1, Records: 3, Duplicates: 1, Matched: 2, ByID: 1, ByText: 1, OtherText: 1}},
		{"no texts in the reference", ByAuto, "a b", "b:x c:y", "1 –", Pairing{Reference: 2, ReferenceUnmatched: 1, Records: 2, Unmatched: 1, Matched: 1, ByID: 1}},
		{"by src_id alone", ByID, "a:x b:y", "a:y c:x", "0 –", Pairing{Reference: 2, ReferenceUnmatched: 1, Records: 2, Unmatched: 1, Matched: 1, ByID: 1, OtherText: 1}},
		{"by text alone", ByText, "a:x b:x", "b:x a:x", "0 1", Pairing{Reference: 2, Records: 2, Matched: 2, ByText: 2}},
	} {
		ref, err := ReadReference(context.Background(), strings.NewReader(lines(test.reference)), "ref", book, "")
		if err != nil {
			t.Fatal(err)
		}
		m := ref.Matcher(test.by)
		var got []string
		r := NewReader(strings.NewReader(lines(test.file)), "file", book, "")
		for a := new(Annotation); ; {
			if err := r.Next(a); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			found, err := m.Match(a)
			if err != nil {
				t.Fatal(err)
			}
			if found != nil {
				got = append(got, fmt.Sprint(found.Line-1))
			} else {
				got = append(got, "–")
			}
		}
		if s := strings.Join(got, " "); s != test.want || m.Pairing() != test.count {
			t.Errorf("%s: %s, want %s\n%+v, want\n%+v", test.name, s, test.want, m.Pairing(), test.count)
		}
	}
}

func TestNothingToCompare(t *testing.T) {
	book, ctx := testBook(t), context.Background()
	if _, err := ReadReference(ctx, strings.NewReader("\n \n"), "ref", book, ""); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty reference: %v", err)
	}
	ref, err := ReadReference(ctx, strings.NewReader("a b\t1\teb1\n"), "ref", book, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ref.Compare(ctx, strings.NewReader(""), "file", Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty file: %v", err)
	}
	_, err = ref.Compare(ctx, strings.NewReader("c d\t1\tl2_0\n"), "file", Options{})
	if want := `nothing matches between ref and file: src_ids are like "eb1" there and like "l2_0" here, nor do texts`; !errors.Is(err, ErrNoMatch) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ref.Compare(ctx, strings.NewReader("a b\t1\teb1\n"), "file", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}
