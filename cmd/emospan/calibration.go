package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// Values of --calibrate that are no files: to have the model's own looked up, and to use none. A file of such a name is ./auto.
const (
	autoCalibration = "auto"
	noCalibration   = "none"
)

// confidenceAuto is the value of --confidence that follows from whether there is a calibration.
const confidenceAuto = "auto"

// calibrationFile is where emospan calibrate leaves a model's calibration.
func calibrationFile(m models.Model) string {
	return strings.TrimSuffix(m.Path, ".gguf") + ".calibration.json"
}

// setCalibration finds the calibration that --calibrate asks for, and says what confidence means.
func (j *job) setCalibration(ctx context.Context) (err error) {
	o := &j.opts
	if j.calibration == nil {
		if j.calibration, err = j.findCalibration(ctx); err != nil {
			return err
		}
	}
	switch {
	case o.confidence == confidenceAuto && j.calibration != nil:
		o.confidence = string(tagger.ConfidenceModel)
	case o.confidence == confidenceAuto:
		o.confidence = string(tagger.ConfidenceSelf)
	case j.calibration != nil && o.confidence == string(tagger.ConfidenceSelf):
		return usageError("--confidence self: with a calibration the model writes no confidence; leave it out, or add --calibrate none")
	}
	return nil
}

// findCalibration gives what --calibrate names: a file; or the model's own: the bundle's, the one that is built in for it or for what
// it was converted from, or the one beside it; nil for none.
func (j *job) findCalibration(ctx context.Context) (*tagger.Calibration, error) {
	o := &j.opts
	_, asked := o.flags["calibrate"]
	switch {
	case o.calibrate == noCalibration:
		return nil, nil
	case o.calibrate != autoCalibration:
		data, err := os.ReadFile(o.calibrate)
		if err != nil {
			return nil, fmt.Errorf("--calibrate: %w; name a file that emospan calibrate has written, or auto", err)
		}
		return j.parseCalibration(ctx, data, "--calibrate "+o.calibrate)
	case !asked && o.decode == string(tagger.Schema):
		return nil, nil
	case !asked && bundlesPrompt(j.model):
		return nil, nil
	case !asked && (o.prompt.file != "" || o.temperature > 0):
		flag := "--prompt-file"
		if o.prompt.file == "" {
			flag = "--temperature"
		}
		j.note("%s: the model writes the records itself; --calibrate auto reads them from its states instead", flag)
		return nil, nil
	}
	if _, data, ok := content(bundle.Calibration); ok && j.model.Part != nil {
		c, err := tagger.ParseCalibration(data, j.taxonomy)
		return j.unlessOther(c, err)
	}
	hashes, err := modelHashes(ctx, j.model)
	if err != nil {
		return nil, err
	}
	c, err := tagger.BuiltinCalibration(j.taxonomy, hashes...)
	if c != nil || err != nil {
		return j.unlessOther(c, err)
	}
	if j.model.Part == nil {
		name := calibrationFile(j.model)
		data, err := os.ReadFile(name)
		if err == nil {
			c, err := j.parseCalibration(ctx, data, name)
			return j.unlessOther(c, err)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w; mend it, or add --calibrate none", err)
		}
	}
	if asked && o.decode == string(tagger.Schema) {
		return nil, usageError("--calibrate auto: in the form schema the model itself writes; use --decode compact")
	}
	j.note("%s has no calibration, so its own answers are written, which are mostly the commonest value; emospan calibrate -m %s makes one", j.model.Name, j.model.Name)
	return nil, nil
}

// unlessOther takes a calibration of another taxonomy for none, and says so.
func (j *job) unlessOther(c *tagger.Calibration, err error) (*tagger.Calibration, error) {
	var other *tagger.TaxonomyError
	if !errors.As(err, &other) {
		return c, err
	}
	j.note("the model's calibration is of another taxonomy (%s), so the model's own answers are written; emospan calibrate -m %s --taxonomy %s FILE makes one, from records of that taxonomy", other.Reason, j.model.Name, j.opts.taxonomy)
	return nil, nil
}

// parseCalibration reads a calibration from a file, which must be of the model.
func (j *job) parseCalibration(ctx context.Context, data []byte, name string) (*tagger.Calibration, error) {
	c, err := tagger.ParseCalibration(data, j.taxonomy)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; emospan calibrate -m %s makes another", printable(name), err, j.model.Name)
	}
	hashes, err := modelHashes(ctx, j.model)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(hashes, c.ModelSHA256) {
		return nil, fmt.Errorf("%s is the calibration of %s, another model; emospan calibrate -m %s makes one", printable(name), dataset.ShownName(c.Model), j.model.Name)
	}
	return c, nil
}

// modelHashes are the SHA-256 of the model's file and of what it was converted from.
func modelHashes(ctx context.Context, m models.Model) ([]string, error) {
	hash, err := m.Hash(ctx)
	if err != nil {
		return nil, err
	}
	hashes := []string{hash}
	if e := m.Entry; e != nil && e.Converted != nil {
		hashes = append(hashes, e.Converted.SHA256)
	}
	return hashes, nil
}

// note keeps a line for printNotes.
func (j *job) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// printNotes prints the notes on standard error, once, unless the run is quiet. A run that fails before its first record has nothing to
// say but why.
func (j *job) printNotes() {
	for _, n := range j.notes {
		if !j.opts.quiet {
			fmt.Fprintf(j.stderr, "emospan: note: %s\n", n)
		}
	}
	j.notes = nil
}

// bundlesPrompt reports whether the model is a bundle's that has a prompt and no calibration: then the model is to answer the prompt.
func bundlesPrompt(m models.Model) bool {
	_, _, prompt := content(bundle.Prompt)
	_, _, calibration := content(bundle.Calibration)
	return m.Part != nil && prompt && !calibration
}
