package tagger_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
)

// A ruleModel is a tagger.Model that needs no weights: it likes the token that goes on with what a rule of one line says of
// the text. A model of your own has its network in Decode and Logits, and its tokenizer in place of bytes.
type ruleModel struct {
	sequences [2][]int32
	logits    [][]float32 // of the rows of the last Decode
}

// Tokens are bytes, and two that control the chat.
const (
	turn  = 256 + iota // begins a turn
	end                // ends an answer
	vocab              // how many there are
)

func (m *ruleModel) VocabSize() int      { return vocab }
func (m *ruleModel) IsEOG(id int32) bool { return id == end }
func (m *ruleModel) Piece(id int32) []byte {
	if id >= turn {
		return nil
	}
	return []byte{byte(id)}
}

func (m *ruleModel) Tokenize(text string) ([]int32, error) {
	var ids []int32
	for _, b := range []byte(text) {
		ids = append(ids, int32(b))
	}
	return ids, nil
}

func (m *ruleModel) Chat(turns []tagger.Turn, first, answer bool) ([]int32, error) {
	var ids []int32
	for _, t := range turns {
		text, _ := m.Tokenize(t.Text)
		ids = append(append(ids, turn), text...)
	}
	if answer {
		ids = append(ids, turn)
	}
	return ids, nil
}

func (m *ruleModel) Sequences() int   { return len(m.sequences) }
func (m *ruleModel) ContextSize() int { return 1 << 16 }
func (m *ruleModel) CacheSize() int   { return 1 << 17 }
func (m *ruleModel) BatchSize() int   { return 512 }

func (m *ruleModel) Decode(rows []tagger.Row) error {
	m.logits = make([][]float32, len(rows))
	for i, row := range rows {
		s := &m.sequences[row.Sequence]
		*s = append((*s)[:row.Position], row.Token)
		if row.Logits {
			m.logits[i] = make([]float32, vocab)
			m.logits[i][next(*s)] = 1
		}
	}
	return nil
}

func (m *ruleModel) Logits(row int) []float32 { return m.logits[row] }

func (m *ruleModel) CopyKV(source, destination int32) error {
	m.sequences[destination] = append([]int32(nil), m.sequences[source]...)
	return nil
}

func (m *ruleModel) RemoveKV(sequence, from int32) error {
	m.sequences[sequence] = m.sequences[sequence][:from]
	return nil
}

// next is the token to come after a sequence that ends in a turn with the text and the beginning of the answer.
func next(sequence []int32) int32 {
	turns := []string{""}
	for _, id := range sequence {
		if id == turn {
			turns = append(turns, "")
			continue
		}
		turns[len(turns)-1] += string([]byte{byte(id)})
	}
	text, written := turns[len(turns)-2], turns[len(turns)-1]
	answer := `["neutral"]`
	if strings.Contains(text, "Thank you") {
		answer = `["Thank you"," gratitude high asserted present self 95"]`
	}
	if rest, ok := strings.CutPrefix(answer, written); ok && rest != "" {
		return int32(rest[0])
	}
	return end
}

// Tag with a model of your own: whatever it likes best, the records are well formed and agree with their texts.
func Example() {
	prompt, err := tagger.BuiltinPrompt(tagger.Level2)
	if err != nil {
		log.Fatal(err)
	}
	t, err := tagger.New(new(ruleModel), tagger.Options{ModelName: "rule", Prompt: prompt, Taxonomy: dataset.Default(), Decode: tagger.Compact})
	if err != nil {
		log.Fatal(err)
	}
	inputs, err := dataset.NewReader(strings.NewReader("The bus leaves at nine.\nThank you for waiting!\n"), "texts", dataset.ReaderOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for {
		in, err := inputs.Next()
		if err != nil {
			break // io.EOF
		}
		result, err := t.Tag(in)
		if err != nil {
			log.Fatal(err)
		}
		if result.Reject != nil {
			fmt.Println(result.Reject.SrcID, result.Reject.Reasons)
			continue
		}
		fmt.Println(result.Record.SrcID, result.Record.Predictions, result.Record.Data.Labels)
		for _, s := range result.Record.Data.Spans {
			fmt.Printf("     %s, %s, intensity %s, confidence %v\n", s.Text, s.Subtype, s.Attrs.Intensity, s.Attrs.Confidence)
		}
	}
	// Output:
	// l2_0 [neutral] [O O O O O O]
	// l2_1 [gratitude] [B-EMO I-EMO O O O]
	//      Thank you, Gratitude, intensity high, confidence 0.95
}
