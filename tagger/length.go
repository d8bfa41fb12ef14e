package tagger

import "strings"

const (
	// counted is the longest text whose tokens are all counted, however many they are.
	counted = 64 << 10

	// stretch is how much of a long text is tokenized at a time to see that it is too long, and longStretch at most, where the
	// tokenizer cannot be relied on to cut earlier.
	stretch     = 4 << 10
	longStretch = 64 << 10
)

// atLeast is a number of tokens that a text has at least, 0 for one that is short enough to be counted; over limit, it is where that was seen. No more of the
// text is tokenized, because llama.cpp's tokenizers take seconds or minutes for some megabytes, and a line may have sixteen.
func (s *splitter) atLeast(text string, limit int) (int, error) {
	text = strings.TrimSpace(text) // as a chat template may
	if len(text) <= counted {
		return 0, nil
	}
	if n := s.fewest(len(text)); n > limit {
		return n, nil
	}
	n := 0
	rest := []byte(text)
	for len(rest) > 0 && n <= limit {
		end := min(stretch, len(rest))
		for end < len(rest) && end < longStretch && !s.parts(rest[:end], rest[end:]) {
			end++
		}
		if end == longStretch {
			n += s.fewest(end)
		} else {
			ids, err := s.part(rest[:end])
			if err != nil {
				return 0, err
			}
			n += len(ids)
		}
		rest = rest[end:]
	}
	return n, nil
}

// fewest is how many tokens a text of so many bytes has if each is as long as the vocabulary's longest.
func (s *splitter) fewest(size int) int {
	if s.longest == 0 {
		return 0
	}
	return (size + s.longest - 1) / s.longest
}
