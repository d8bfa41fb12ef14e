package llama

// How llama.cpp takes the rows of a batch apart into micro-batches, which it computes one after the other. It keeps the order of the
// rows of each sequence; how those of several sequences mix depends on the cache, and llama.cpp does not tell.
type splitting int

const (
	// As the rows stand: one cache for all sequences.
	inOrder splitting = iota
	// As many rows of each sequence, sequence after sequence: a unified cache beside a recurrent state, and a sliding window without
	// room for all rows at once.
	equalParts
	// Likewise, and a micro-batch has only sequences of consecutive numbers: a cache or a state for each sequence.
	equalConsecutive
)

// split returns the rows of a batch in the order of computing, and how many each micro-batch has. A row is known by the number of its
// sequence, of which there are fewer than count. No micro-batch has more than limit rows, which is at least count.
func (s splitting) split(sequences []int32, count, limit int) (order, sizes []int32) {
	if s == inOrder {
		for i := range sequences {
			order = append(order, int32(i))
		}
		for at := 0; at < len(order); at += limit {
			sizes = append(sizes, int32(min(limit, len(order)-at)))
		}
		return order, sizes
	}
	left := make([][]int32, count) // rows of each sequence
	for i, q := range sequences {
		left[q] = append(left[q], int32(i))
	}
	for len(order) < len(sequences) {
		chosen := s.choose(sequences, left)
		n := limit / len(chosen)
		for _, q := range chosen {
			n = min(n, len(left[q]))
		}
		for _, q := range chosen {
			order = append(order, left[q][:n]...)
			left[q] = left[q][n:]
		}
		sizes = append(sizes, int32(n*len(chosen)))
	}
	return order, sizes
}

// choose names the sequences of the next micro-batch, in the order in which the rows that are left come to them.
func (s splitting) choose(sequences []int32, left [][]int32) (chosen []int32) {
	seen := make([]bool, len(left))
	for i, q := range sequences {
		if len(left[q]) == 0 || int32(i) < left[q][0] || seen[q] {
			continue
		}
		if s == equalConsecutive && len(chosen) > 0 && q != chosen[len(chosen)-1]+1 {
			continue
		}
		seen[q] = true
		chosen = append(chosen, q)
	}
	return chosen
}
