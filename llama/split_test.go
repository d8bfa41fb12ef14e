package llama

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		name         string
		splitting    splitting
		limit        int
		sequences    []int32
		order, sizes []int32
	}{
		{"as they stand", inOrder, 8, []int32{1, 0, 1}, []int32{0, 1, 2}, []int32{3}},
		{"as they stand, too many", inOrder, 4, []int32{1, 0, 1, 2, 2, 1}, []int32{0, 1, 2, 3, 4, 5}, []int32{4, 2}},
		{"one sequence", equalParts, 8, []int32{2, 2}, []int32{0, 1}, []int32{2}},
		{"in turn", equalParts, 8, []int32{0, 1, 0, 1}, []int32{0, 2, 1, 3}, []int32{4}},
		{"of unequal lengths", equalParts, 8, []int32{3, 0, 3, 3}, []int32{0, 1, 2, 3}, []int32{2, 2}},
		{"with gaps", equalParts, 8, []int32{3, 0, 0, 3}, []int32{0, 3, 1, 2}, []int32{4}},
		{"with gaps, consecutive", equalConsecutive, 8, []int32{3, 0, 0, 3}, []int32{0, 3, 1, 2}, []int32{2, 2}},
		{"backwards", equalConsecutive, 8, []int32{1, 0}, []int32{0, 1}, []int32{1, 1}},
		{"a gap that closes", equalConsecutive, 8, []int32{0, 2, 1, 2}, []int32{0, 2, 1, 3}, []int32{3, 1}},
		{"more than the limit", equalConsecutive, 4, []int32{0, 0, 0, 1, 1, 1}, []int32{0, 1, 3, 4, 2, 5}, []int32{4, 2}},
	} {
		order, sizes := test.splitting.split(test.sequences, 4, test.limit)
		if !slices.Equal(order, test.order) || !slices.Equal(sizes, test.sizes) {
			t.Errorf("%s: order %v, sizes %v, want %v, %v", test.name, order, sizes, test.order, test.sizes)
		}
	}
}
