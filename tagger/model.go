package tagger

// A Model is a language model with a tokenizer, a chat template and a KV cache of sequences. Token ids are those of its
// vocabulary, 0 to VocabSize-1. A Tagger calls it from one goroutine at a time.
type Model interface {
	VocabSize() int
	// Piece returns the bytes of a token, nil for a control token.
	Piece(id int32) []byte
	// IsEOG reports whether a token ends the answer.
	IsEOG(id int32) bool
	// Tokenize splits plain text; what looks like a control token in it is just text.
	Tokenize(text string) ([]int32, error)
	// Chat renders turns in the model's template and tokenizes them. With first the chat begins here, with answer it ends
	// where the assistant is to speak.
	Chat(turns []Turn, first, answer bool) ([]int32, error)

	// Sequences is the number of sequences that the KV cache holds, 2 at least, ContextSize the most tokens of each, CacheSize
	// the most of all, those that sequences share counted once: some more than ContextSize, since a
	// sequence may have its own of the last tokens that others share. BatchSize is the most rows of one Decode.
	Sequences() int
	ContextSize() int
	CacheSize() int
	BatchSize() int
	// Decode appends rows to their sequences. Logits returns the row's logits, a view that is valid until the next Decode.
	Decode(rows []Row) error
	Logits(row int) []float32
	// CopyKV gives destination all positions of source; RemoveKV forgets a sequence's positions from one on.
	CopyKV(source, destination int32) error
	RemoveKV(sequence, from int32) error
}

// A Row is one token to decode: at Position of Sequence, with logits computed or not.
type Row struct {
	Token, Position, Sequence int32
	Logits                    bool
}

// A Turn is one message of a chat: Role is "system", "user" or "assistant".
type Turn struct {
	Role string `json:"role"`
	Text string `json:"content"`
}
