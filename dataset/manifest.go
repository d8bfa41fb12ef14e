package dataset

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Manifest is the account of one run: what it was made with, and what came of
// it. Hashes are SHA-256 in hexadecimal.
type Manifest struct {
	Emospan  string `json:"emospan"`   // version
	LlamaCPP string `json:"llama_cpp"` // revision

	Model          string `json:"model"`
	ModelSHA256    string `json:"model_sha256"`
	Prompt         string `json:"prompt"`
	PromptSHA256   string `json:"prompt_sha256"`
	GrammarSHA256  string `json:"grammar_sha256"`
	TaxonomySHA256 string `json:"taxonomy_sha256"`
	BinarySHA256   string `json:"binary_sha256"`

	Decode      string            `json:"decode"`
	Confidence  string            `json:"confidence"`  // self or model
	Calibration *Calibration      `json:"calibration"` // null where the model wrote the emotions
	Temperature float64           `json:"temperature"`
	TopP        float64           `json:"top_p"`
	Seed        int64             `json:"seed"`
	Input       []string          `json:"input"`           // names as ShownName has them, as in Output and Flags
	Texts       int               `json:"texts"`           // of the whole input, up to --limit, bad rows included; 0 where it was not read to its end
	TextsSHA256 string            `json:"texts_sha256"`    // see TextsDigest
	Shard       string            `json:"shard,omitempty"` // I/N: of these texts only those were tagged
	Output      string            `json:"output"`
	Flags       map[string]string `json:"flags"`

	Parallel   int    `json:"parallel"`
	Threads    int    `json:"threads"`
	Sizes      string `json:"sizes"`               // tag's --sizes
	Device     string `json:"device"`              // cpu, or the GPU
	GPULayers  int    `json:"gpu_layers,omitzero"` // of the model that were on it, the output head counted as one
	CPUVariant string `json:"cpu_variant"`
	Sandbox    string `json:"sandbox,omitempty"` // what kept the run from other files and the network

	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished"`    // or when this was written
	Interrupted bool      `json:"interrupted"` // the run has not come to the end of its input: it goes on, or stopped for whatever reason
	Synced      int       `json:"synced"`      // records that were made to outlast a power cut

	Records          int     `json:"records"`
	Accepted         int     `json:"accepted"`
	Rejected         int     `json:"rejected"`
	Seconds          float64 `json:"seconds"`
	RecordsPerSecond float64 `json:"records_per_second"`
	PromptTokens     int     `json:"prompt_tokens"`
	ForcedTokens     int     `json:"forced_tokens"`
	SampledTokens    int     `json:"sampled_tokens"`
	TokensPerSecond  float64 `json:"tokens_per_second"`
	MaskMicrosP50    float64 `json:"mask_us_p50"` // of the last part
	MaskMicrosP99    float64 `json:"mask_us_p99"`

	Spans       int            `json:"spans"`
	Emotions    map[string]int `json:"emotions"`     // predictions of each emotion
	RejectCodes map[string]int `json:"reject_codes"` // rejected records with each code

	// Parts are the parts of the run, each begun by a start of the program. Seconds and tokens are their sums. Of a part that was
	// killed, what it did after its manifest was last written is not known, and records_per_second leaves it out.
	Parts []Part `json:"parts"`

	Retries []Retry    `json:"retries,omitempty"` // later runs of the rejects, whose records the counts above include
	Shards  []ShardRun `json:"shards,omitempty"`  // that were merged into the output
}

// Part is the account of a run from one start of the program to its end.
type Part struct {
	Emospan       string    `json:"emospan"`
	LlamaCPP      string    `json:"llama_cpp"`
	Parallel      int       `json:"parallel"`
	Threads       int       `json:"threads"`
	Device        string    `json:"device,omitempty"` // where parts may differ
	Started       time.Time `json:"started"`
	Seconds       float64   `json:"seconds"`
	Records       int       `json:"records"`
	PromptTokens  int       `json:"prompt_tokens"`
	ForcedTokens  int       `json:"forced_tokens"`
	SampledTokens int       `json:"sampled_tokens"`
}

// Retry is the account of a run that put rejected samples to a model again.
type Retry struct {
	Model        string            `json:"model"`
	ModelSHA256  string            `json:"model_sha256"`
	Prompt       string            `json:"prompt"`
	PromptSHA256 string            `json:"prompt_sha256"`
	Decode       string            `json:"decode"`
	Confidence   string            `json:"confidence"`  // as the Manifest's
	Calibration  *Calibration      `json:"calibration"` // likewise
	Temperature  float64           `json:"temperature"`
	TopP         float64           `json:"top_p"`
	Seed         int64             `json:"seed"`
	Flags        map[string]string `json:"flags"`
	Started      time.Time         `json:"started"`
	Seconds      float64           `json:"seconds"`
	Records      int               `json:"records"` // run again
	Accepted     int               `json:"accepted"`
	Rejected     int               `json:"rejected"`
}

// Calibration names how emotions were read from the model (package tagger).
type Calibration struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of its file
	Texts  string `json:"texts"`  // that it was estimated from
}

// maxManifest bounds a manifest file, in bytes.
const maxManifest = 16 << 20

// WriteFile writes the manifest as indented JSON, all of it or nothing: it
// goes to a new file beside path, is synced, and then takes path's name.
func (m *Manifest) WriteFile(path string) error { return m.writeFile(path, true) }

// WriteUnsynced is WriteFile, which a power cut may undo.
func (m *Manifest) WriteUnsynced(path string) error { return m.writeFile(path, false) }

func (m *Manifest) marshal() ([]byte, error) {
	shown := *m
	shown.Output, shown.Flags, shown.Input, shown.Retries = ShownName(m.Output), shownFlags(m.Flags), slices.Clone(m.Input), slices.Clone(m.Retries)
	for i, name := range shown.Input {
		shown.Input[i] = ShownName(name)
	}
	for i := range shown.Retries {
		shown.Retries[i].Flags = shownFlags(shown.Retries[i].Flags)
	}
	return json.Marshal(&shown, json.Deterministic(true), jsontext.WithIndent("  "))
}

// shownFlags are flags whose values, which may be names of files, can be written as JSON.
func shownFlags(flags map[string]string) map[string]string {
	shown := maps.Clone(flags)
	for name, value := range shown {
		shown[name] = ShownName(value)
	}
	return shown
}

func (m *Manifest) writeFile(path string, durable bool) error {
	data, err := m.marshal()
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	err = replace(path, durable, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	return nil
}

// ReadManifest reads a manifest and refuses one with fields it does not know,
// which another version has written.
func ReadManifest(path string) (*Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("manifest %s: larger than the limit of %d bytes", path, maxManifest)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", path, err)
	}
	return m, nil
}

func parseManifest(data []byte) (*Manifest, error) {
	m := new(Manifest)
	return m, json.Unmarshal(bytes.TrimSpace(data), m, json.RejectUnknownMembers(true))
}
