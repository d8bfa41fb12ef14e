package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// maxContext is the most tokens of context that are asked for; what a model was trained with may be far more, and its
// memory with it.
const maxContext = 4096

// engine joins a loaded model and its context into what package tagger decodes with.
type engine struct {
	*llama.Model
	context  *llama.Context
	changing sync.Mutex // context is being replaced
	aborted  bool
	template llama.Template
	memory   memoryEstimate
	sizes    engineSizes
	offload  offload
	gpuFault error // why the GPU that was chosen is not used
	files    *modelFiles
	size     int // tokens of one record and the prompt
	batch    llama.Batch
}

const (
	cachePad    = 256  // of a cache for all, beyond one sequence at its longest
	recordCells = 256  // of it, for each record that is decoded at a time
	splitCells  = 1536 // of each cache where there are several
)

var (
	_ tagger.Widener    = (*engine)(nil)
	_ tagger.StateModel = (*engine)(nil)
)

// openEngine checks the model's file, and whether it fits the memory, and loads it, to decode in these sizes.
func openEngine(m models.Model, sizes engineSizes) (*engine, error) {
	g, err := openModel(m)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return loadEngine(m, g, sizes)
}

// loadEngine is openEngine for a file whose header has been read.
func loadEngine(m models.Model, g *models.GGUF, sizes engineSizes) (*engine, error) {
	template, err := checkHeader(m, g)
	if err != nil {
		return nil, err
	}
	available := availableMemory()
	part := offloaded(g, sizes, available)
	if sizes.gpu == nil {
		return startEngine(m, g, template, sizes, part, available)
	}
	e, err := startOnGPU(m, g, template, sizes, part, available)
	if err == nil {
		return e, nil
	}
	if sizes.gpuOnly {
		return nil, fmt.Errorf("--device gpu: %w; use --device auto or cpu", err)
	}
	fault := err
	sizes.gpu = nil
	if e, err = startEngine(m, g, template, sizes, offload{Of: part.Of}, available); err != nil {
		return nil, err
	}
	e.gpuFault = fault
	return e, nil
}

func startOnGPU(m models.Model, g *models.GGUF, template llama.Template, sizes engineSizes, part offload, available int64) (*engine, error) {
	if part.Layers == 0 {
		return nil, fmt.Errorf("%s has too little memory for a layer of %s: %s free", gpuName(sizes.gpu), m.Name, bytesText(int64(sizes.gpu.MemoryFree)))
	}
	if err := llama.StartGPU(*sizes.gpu); err != nil {
		return nil, err
	}
	return startEngine(m, g, template, sizes, part, available)
}

// startEngine loads the model, with so much of it on the GPU of the sizes.
func startEngine(m models.Model, g *models.GGUF, template llama.Template, sizes engineSizes, part offload, available int64) (e *engine, err error) {
	memory, err := checkMemory(m.Name, g, sizes, available)
	if err != nil {
		return nil, err
	}
	files, err := watchModel(m)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(files.fault(err), files.close())
		}
	}()
	model, err := loadModel(m, llama.LoadOptions{GPULayers: part.Layers})
	if err != nil {
		return nil, err
	}
	if !model.Generates() {
		model.Close()
		return nil, fmt.Errorf("%s cannot generate text: it is a %s; use an instruct model of the Llama or Gemma family", m.Name, model.Info().Description)
	}
	e = &engine{Model: model, template: template, memory: memory, sizes: sizes, offload: part, files: files}
	if err := e.newContext(sizes); err != nil {
		model.Close()
		return nil, err
	}
	return e, nil
}

func (e *engine) newContext(sizes engineSizes) (err error) {
	trained := e.Model.Info().TrainedSize
	e.context, err = llama.NewContext(e.Model, contextOptions(trained, sizes))
	e.size = longest(trained, sizes)
	if err != nil && sizes.KV == llama.KVQ8 {
		return fmt.Errorf("%w; use --sizes kv=f16", err)
	}
	return err
}

// longest is how many tokens a record and the prompt come to at most.
func longest(trained int, sizes engineSizes) int {
	if sizes.Split {
		return min(trained, splitCells)
	}
	return min(trained, maxContext)
}

// contextOptions sizes the context in which records are decoded. With one cache for all, each row attends to what is others';
// with a cache for each, the prefix is in memory and read from it once for each, and llama.cpp computes rows together only
// where as many are of every sequence (DESIGN.md has the figures).
func contextOptions(trained int, sizes engineSizes) llama.ContextOptions {
	size := max(longest(trained, sizes)+cachePad, sizes.Parallel*recordCells)
	if sizes.Split {
		size = sizes.sequences() * longest(trained, sizes)
	}
	flash := -1
	if sizes.Flash {
		flash = 1
	}
	var layers []int
	if sizes.reads != nil {
		layers = sizes.reads.Layers
	}
	return llama.ContextOptions{
		Size: size, Sequences: sizes.sequences(), SplitKV: sizes.Split, KV: sizes.KV, FlashAttention: flash,
		Threads: sizes.Threads, Batch: sizes.Batch, Layers: layers,
	}
}

// checkModel reads the GGUF's header, before llama.cpp sees any of it, and tells which chat template the model speaks.
func checkModel(m models.Model) (llama.Template, error) {
	g, err := openModel(m)
	if err != nil {
		return llama.NoTemplate, err
	}
	defer g.Close()
	return checkHeader(m, g)
}

// checkHeader is checkModel for a header that has been read.
func checkHeader(m models.Model, g *models.GGUF) (llama.Template, error) {
	if err := g.Usable(); err != nil {
		return llama.NoTemplate, fmt.Errorf("%s: %w", m.Path, err)
	}
	t, err := templateOf(m, g)
	if err != nil || t != llama.NoTemplate {
		return t, err
	}
	if g.ChatTemplate() != "" || m.Template != "" {
		return llama.NoTemplate, fmt.Errorf("%s has a chat template that is none of Llama 3, ChatML and Gemma; use an instruct model of these families", m.Path)
	}
	return llama.NoTemplate, fmt.Errorf("%s has no chat template: it is perhaps a base model; use its instruct version", m.Path)
}

// templateOf is the chat template that the store notes, or the file's own, or what Ollama keeps beside a file that has none.
func templateOf(m models.Model, g *models.GGUF) (llama.Template, error) {
	if m.Entry != nil && m.Entry.ChatTemplate != "" {
		return llama.ParseTemplate(m.Entry.ChatTemplate)
	}
	if text := g.ChatTemplate(); text != "" {
		return llama.DetectTemplate(text), nil
	}
	return llama.DetectTemplate(m.Template), nil
}

// loadModel has llama.cpp map the model from where it lies.
func loadModel(m models.Model, o llama.LoadOptions) (*llama.Model, error) {
	if m.Part == nil {
		return llama.Load(m.Path, o)
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return llama.LoadFile(f, m.Part.Offset, o)
}

// openGGUF opens a model's file, with what to do where it is none.
func openGGUF(path string) (*models.GGUF, error) { return openModel(models.Model{Path: path}) }

func openModel(m models.Model) (*models.GGUF, error) {
	g, err := m.Open()
	if err != nil {
		return nil, fmt.Errorf("%w; name an instruct model's GGUF file, or a model that emospan models list shows", err)
	}
	return g, nil
}

// resolveModel finds the model that the user means: without a name, the one that the executable holds or else the default one.
func resolveModel(store *models.Store, name string) (models.Model, error) {
	b := bundled()
	if b != nil && name == "" {
		return b.Weights(), nil
	}
	m, err := store.Resolve(name)
	if err != nil && b != nil && name == b.Model.Name { // as retry-rejects finds it in a manifest
		return b.Weights(), nil
	}
	if info, serr := os.Stat(name); err != nil && serr == nil && info.IsDir() {
		return m, fmt.Errorf("model %s is a directory; name a GGUF file in it", name)
	}
	m.Name = dataset.ShownName(m.Name) // records have it
	return m, err
}

// Close frees the context and the model.
func (e *engine) Close() error {
	err := e.files.close()
	if e.context == nil {
		return errors.Join(err, e.Model.Close())
	}
	return errors.Join(err, e.context.Close(), e.Model.Close())
}

// WideSize is the longest record where all share one cache.
func (e *engine) WideSize() int {
	return longest(e.Model.Info().TrainedSize, engineSizes{})
}

// Widen has all records share one cache, or each have its own where sizes say so.
func (e *engine) Widen(wide bool) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	err := e.context.Close()
	e.context = nil
	if err == nil {
		sizes := e.sizes
		sizes.Split = sizes.Split && !wide
		err = e.newContext(sizes)
	}
	if err == nil && e.aborted {
		e.context.Abort(true)
	}
	return err
}

// Abort makes the Decode that is running, and those that follow, fail. It may be called from any goroutine.
func (e *engine) Abort(on bool) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if e.aborted = on; e.context != nil {
		e.context.Abort(on)
	}
}

func (e *engine) Tokenize(text string) ([]int32, error) { return e.Model.Tokenize(text, false) }

func (e *engine) Chat(turns []tagger.Turn, first, answer bool) ([]int32, error) {
	var ids []int32
	if bos, ok := e.BOS(); first && ok {
		ids = append(ids, bos)
	}
	for _, p := range e.template.Render(llamaTurns(turns), answer) {
		part, err := e.Model.Tokenize(p.Text, p.Marker)
		if err != nil {
			return nil, err
		}
		ids = append(ids, part...)
	}
	return ids, nil
}

func (e *engine) Sequences() int   { return e.sizes.sequences() }
func (e *engine) ContextSize() int { return e.size }
func (e *engine) CacheSize() int   { return e.context.Size() }
func (e *engine) BatchSize() int   { return e.context.BatchSize() }

func (e *engine) Decode(rows []tagger.Row) error {
	e.batch.Reset()
	for _, r := range rows {
		e.batch.Add(r.Token, r.Position, r.Sequence, r.Logits)
	}
	err := e.context.Decode(&e.batch)
	if errors.Is(err, llama.ErrGPUFailed) {
		return fmt.Errorf("%s: %w; --device cpu does without", gpuName(e.sizes.gpu), err)
	}
	return e.files.fault(err)
}

func (e *engine) LayerCount() int { return e.Info().Layers }
func (e *engine) StateWidth() int { return e.Info().Embedding }

// States are those of the layers that the sizes name.
func (e *engine) States(layer, row int) []float32 { return e.context.States(layer, row) }

func (e *engine) Logits(row int) []float32            { return e.context.Logits(row) }
func (e *engine) CopyKV(from, to int32) error         { return e.context.CopyKV(from, to, 0, -1) }
func (e *engine) RemoveKV(sequence, from int32) error { return e.context.RemoveKV(sequence, from, -1) }

// log passes on what llama.cpp said, from --log-level up, but for what err, which is still to be printed, says as well.
func (j *job) log(err error) {
	known := ""
	if err != nil {
		known = err.Error()
	}
	gaveUp := errors.Is(err, errModelFile) || errors.Is(err, errInterrupted) // what llama.cpp says of that is no error of its own
	rank := map[string]int{"debug": 0, "info": 1, "warn": 2, "error": 3}
	level := map[byte]string{'D': "debug", 'I': "info", 'W': "warn", 'E': "error"}
	for _, line := range llama.TakeLog() {
		if name := level[line.Level]; !(gaveUp && name == "error") && rank[name] >= rank[j.opts.logLevel] && !strings.Contains(known, strings.TrimSpace(line.Text)) {
			fmt.Fprintf(j.stderr, "llama.cpp: %s: %s\n", name, printable(line.Text))
		}
	}
}
