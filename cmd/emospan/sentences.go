package main

import (
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
)

// The values of --split.
const (
	splitNone     = "none"
	splitSentence = "sentence"
)

// eachSentence hands on the sentences of a text, each as an input of its own, until send returns false.
func eachSentence(in dataset.Input, send func(dataset.Input) bool) (more bool) {
	sentences := tagger.Sentences(in.Text)
	if len(sentences) == 0 { // nothing of the input is passed over without a word
		sentences = []tagger.Range{{Start: 0, End: len(in.Text)}}
	}
	for k, at := range sentences {
		part := in
		part.ID = dataset.SentenceID(in.ID, k)
		part.Text = in.Text[at.Start:at.End]
		part.Sentence = &dataset.Sentence{SrcID: part.ID, TextID: in.ID, Index: k, Start: at.Start, End: at.End, Line: in.Line}
		if !send(part) {
			return false
		}
	}
	return true
}

// placeSentence notes where a sentence stands, whatever becomes of it.
func (j *job) placeSentence(in dataset.Input) error {
	if j.sentences == nil || in.Sentence == nil {
		return nil
	}
	return j.sentences.Write(in.Sentence)
}
