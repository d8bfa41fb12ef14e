package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

const (
	largeGain   = 1.3   // from where a faster format is worth a copy of the model
	exactFormat = "F16" // holds what any other format held, up to rounding
)

// typeSpeeds are how fast one thread of this CPU multiplies with weights of each tensor type, in 10^9 multiply-adds a second.
type typeSpeeds map[models.TensorType]float64

// speedTypes are the tensor types that are measured: those of the formats to convert to, and what models mostly come in.
var speedTypes = []string{"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"}

// speedFile is a measurement as it is kept.
type speedFile struct {
	machine
	Speeds map[string]float64 `json:"speeds"` // by the tensor type's name
}

// knownSpeeds returns what measureSpeeds kept; ok is false where there is nothing for this CPU.
func knownSpeeds() (speeds typeSpeeds, ok bool) {
	here, err := thisMachine()
	if err != nil {
		return nil, false
	}
	var f speedFile
	if !recall(here.file("speeds"), &f) || f.machine != here {
		return nil, false
	}
	speeds = typeSpeeds{}
	for _, name := range speedTypes {
		kind, known := models.ParseTensorType(name)
		if speed := f.Speeds[name]; known && speed > 0 {
			speeds[kind] = speed
		}
	}
	return speeds, len(speeds) > 0
}

// measureSpeeds times every type, which takes a second or two.
func measureSpeeds(ctx context.Context) (typeSpeeds, error) {
	speeds := typeSpeeds{}
	for range 2 { // not in one go, so that a moment in which the machine is busy does not fall on one type alone
		for _, name := range speedTypes {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			kind, ok := models.ParseTensorType(name)
			if !ok {
				return nil, fmt.Errorf("no tensor type %s", name)
			}
			speed, err := llama.MatrixSpeed(uint32(kind))
			if err != nil {
				return nil, err
			}
			speeds[kind] = max(speeds[kind], speed)
		}
	}
	return speeds, nil
}

// keep saves the speeds for knownSpeeds.
func (s typeSpeeds) keep() error {
	here, err := thisMachine()
	if err != nil {
		return err
	}
	f := speedFile{machine: here, Speeds: map[string]float64{}}
	for kind, speed := range s {
		f.Speeds[kind.String()] = speed
	}
	return remember(here.file("speeds"), f)
}

// cost is the time, in units of its own, that a token takes in the matrices that every token passes through; ok is false
// where one is of a type that was not measured.
func (s typeSpeeds) cost(tensors []models.Tensor) (cost float64, ok bool) {
	for _, t := range tensors {
		if !t.BodyWeight() {
			continue
		}
		if s[t.Type] == 0 {
			return 0, false
		}
		cost += float64(t.Elements()) / s[t.Type]
	}
	return cost, cost > 0
}

// formatReport is what is known of a model in another weight format on this CPU.
type formatReport struct {
	Format  models.Format `json:"format"`
	Speed   float64       `json:"speed"`             // times that of the model as it is; an estimate from its matrices alone
	Size    int64         `json:"size"`              // bytes
	Exact   bool          `json:"exact"`             // loses nothing but by rounding
	Fits    bool          `json:"fits"`              // the memory that is free
	Model   string        `json:"model,omitempty"`   // name of the conversion, where the store has it
	Command string        `json:"command,omitempty"` // else how to make it
}

// formatReports compares the formats with the model's own, the fastest first. It is nil where speeds say nothing of the
// model's types.
func formatReports(store *models.Store, m models.Model, g *models.GGUF, speeds typeSpeeds) []formatReport {
	now, ok := speeds.cost(g.Tensors())
	if !ok {
		return nil
	}
	made := conversions(store, m)
	free := availableMemory()
	var list []formatReport
	for _, f := range models.Formats() {
		if g.FileType() == string(f) {
			continue
		}
		then, ok := speeds.cost(g.Converted(f))
		if !ok {
			continue
		}
		size := g.ConvertedSize(f)
		r := formatReport{Format: f, Speed: now / then, Size: size, Exact: f == exactFormat, Fits: size < free, Model: made[f]}
		if r.Model == "" {
			r.Command = fmt.Sprintf("emospan models convert %s --to %s", shellWord(m), f)
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b formatReport) int { return cmp.Compare(b.Speed, a.Speed) })
	return list
}

// shellWord is how a user names the model on a command line.
func shellWord(m models.Model) string {
	word := m.Path
	if m.Entry != nil || m.Digest != "" {
		word = m.Name
	}
	if strings.ContainsAny(word, " \t\n\"'`$&|;<>()*?[]#~\\!{}") {
		word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// conversions returns the names of the model's conversions in the store.
func conversions(store *models.Store, m models.Model) map[models.Format]string {
	made := map[models.Format]string{}
	entries, _, err := store.List()
	if err != nil || m.SHA256 == "" {
		return made
	}
	for _, e := range entries {
		if e.Converted != nil && e.Converted.SHA256 == m.SHA256 {
			made[e.Converted.Format] = e.Name
		}
	}
	return made
}

// fastest picks the format to recommend among those that memory allows. One that keeps less has to be much faster than
// those that keep more; ok is false where none is much faster than the model as it is.
func fastest(list []formatReport) (best formatReport, ok bool) {
	best = formatReport{Speed: 1}
	for _, f := range models.Formats() { // the one that keeps most first
		for _, r := range list {
			if r.Format == f && r.Fits && r.Speed >= largeGain*best.Speed {
				best, ok = r, true
			}
		}
	}
	return best, ok
}

// fasterFormat tells of a format in which the model would be much faster on this CPU, as far as has been measured here. It
// reads a file or two and measures nothing.
func fasterFormat(store *models.Store, m models.Model, g *models.GGUF) (formatReport, bool) {
	speeds, ok := knownSpeeds()
	if !ok || m.Part != nil { // a bundle's model cannot be converted in its place
		return formatReport{}, false
	}
	return fastest(formatReports(store, m, g, speeds))
}

// hint says in a few words what to do for the gain.
func (r formatReport) hint() string {
	what := fmt.Sprintf("%s, about %.1fx as fast, %s", r.Format, r.Speed, bytesText(r.Size))
	if !r.Exact {
		what += ", loses precision"
	}
	if r.Model != "" {
		return fmt.Sprintf("-m %s (%s)", r.Model, what)
	}
	return fmt.Sprintf("%s (%s)", r.Command, what)
}

// speedRows are the lines of models show about weight formats.
func speedRows(m models.Model, r modelReport, measured bool) [][2]string {
	if !measured {
		return [][2]string{{"this CPU", "not measured yet: emospan models show " + shellWord(m) + " --speed"}}
	}
	if len(r.Formats) == 0 {
		return [][2]string{{"this CPU", "nothing is known of this model's types of weights"}}
	}
	var parts []string
	for _, f := range r.Formats {
		parts = append(parts, fmt.Sprintf("%s %.1fx", f.Format, f.Speed))
	}
	rows := [][2]string{{"this CPU", fmt.Sprintf("%s of %s's speed (estimated)", strings.Join(parts, ", "), r.Quantisation)}}
	if best, ok := fastest(r.Formats); ok {
		rows = append(rows, [2]string{"faster", best.hint()})
	}
	return rows
}
