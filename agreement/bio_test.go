package agreement

import (
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func testBook(t *testing.T) *Codebook {
	t.Helper()
	book, err := NewCodebook(dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestChunks(t *testing.T) {
	book := testBook(t)
	book.kinds["AIM"] = 2
	for _, test := range []struct {
		labels          string
		loosely, strict []entity
	}{
		{"O O", nil, nil},
		{"B-EMO I-EMO O", []entity{{1, 0, 2}}, []entity{{1, 0, 2}}},
		{"B-EMO B-EMO I-EMO", []entity{{1, 0, 1}, {1, 1, 3}}, []entity{{1, 0, 1}, {1, 1, 3}}},
		{"O I-EMO I-EMO O", []entity{{1, 1, 3}}, nil},
		{"I-EMO B-EMO", []entity{{1, 0, 1}, {1, 1, 2}}, []entity{{1, 1, 2}}},
		{"B-EMO I-AIM I-AIM", []entity{{1, 0, 1}, {2, 1, 3}}, []entity{{1, 0, 1}}},
		{"B-EMO O I-EMO B-AIM", []entity{{1, 0, 1}, {1, 2, 3}, {2, 3, 4}}, []entity{{1, 0, 1}, {2, 3, 4}}},
	} {
		var tags []tag
		for _, l := range strings.Fields(test.labels) {
			tag, ok := book.tag(l)
			if !ok {
				t.Fatalf("%s is no label", l)
			}
			tags = append(tags, tag)
		}
		if got := chunks(nil, tags, false); !slices.Equal(got, test.loosely) {
			t.Errorf("%s: %v, want %v", test.labels, got, test.loosely)
		}
		if got := chunks(nil, tags, true); !slices.Equal(got, test.strict) {
			t.Errorf("%s, strictly: %v, want %v", test.labels, got, test.strict)
		}
	}
	for _, label := range []string{"", "B", "B-", "E-EMO", "EMO", "o", "B-JOY", "O-EMO"} {
		if tag, ok := book.tag(label); ok {
			t.Errorf("%q is %v", label, tag)
		}
	}
}
