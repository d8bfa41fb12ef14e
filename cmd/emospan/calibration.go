package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

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

// findCalibration gives what --calibrate names: a file, or the model's own; nil for none.
func (j *job) findCalibration(ctx context.Context) (*tagger.Calibration, error) {
	o := &j.opts
	_, asked := o.flags["calibrate"]
	asked = asked || j.asRun != nil
	switch {
	case o.calibrate == noCalibration:
		return nil, nil
	case o.calibrate != autoCalibration:
		data, err := readSmall(o.calibrate)
		if err != nil {
			return nil, fmt.Errorf("--calibrate: %w; name a file that emospan calibrate has written, or auto", err)
		}
		return parseCalibration(ctx, foundCalibration{"--calibrate " + o.calibrate, data}, j.model, j.taxonomy)
	case asked && o.decode == string(tagger.Schema):
		return nil, usageError("--calibrate auto: in the form schema the model itself writes; use --decode compact")
	case !asked && o.decode == string(tagger.Schema), !asked && bundlesPrompt(j.model):
		return nil, nil
	case !asked && (o.prompt.file != "" || o.temperature > 0):
		flag := "--prompt-file"
		if o.prompt.file == "" {
			flag = "--temperature"
		}
		j.note("%s: the model writes the records itself; --calibrate auto reads them from its states instead", flag)
		return nil, nil
	}
	c, found, other, err := ownCalibration(ctx, j.model, j.taxonomy)
	switch {
	case err != nil || c != nil || found.name == noCalibration:
	case other != nil:
		j.note("the model's calibration is of another taxonomy (%s), so the model's own answers are written; emospan calibrate -m %s --taxonomy %s FILE makes one, from records of that taxonomy", other.Reason, j.model.Name, o.taxonomy)
	default:
		j.note("%s has no calibration, so its own answers are written, which are mostly the commonest value; emospan calibrate -m %s makes one", j.model.Name, j.model.Name)
	}
	return c, err
}

// A foundCalibration is a file that may be a model's calibration.
type foundCalibration struct {
	name string
	data []byte
}

// ownCalibration gives the first calibration of a model that is for the taxonomy: the one its bundle holds, the one that emospan calibrate has left
// for it, the one built in for it or for what it was converted from. other says why one was passed over. A bundle may hold that there
// is to be none: then found has that name.
func ownCalibration(ctx context.Context, m models.Model, tax *dataset.Taxonomy) (c *tagger.Calibration, found foundCalibration, other *tagger.TaxonomyError, err error) {
	var list []foundCalibration
	if m.Part != nil {
		if name, data, ok := content(bundle.Calibration); ok && len(data) == 0 {
			return nil, foundCalibration{name: noCalibration}, nil, nil
		} else if ok {
			list = append(list, foundCalibration{name, data})
		}
	} else if path, err := models.OpenDefault().CalibrationPath(m); err == nil {
		switch data, err := readSmall(path); {
		case err == nil:
			list = append(list, foundCalibration{path, data})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, found, nil, fmt.Errorf("the model's calibration: %w; mend or remove it, or add --calibrate none", err)
		}
	}
	hashes, err := modelHashes(ctx, m)
	if err != nil {
		return nil, found, nil, err
	}
	if data := tagger.BuiltinCalibration(hashes...); data != nil {
		list = append(list, foundCalibration{"built-in", data})
	}
	for _, found := range list {
		c, err := parseCalibration(ctx, found, m, tax)
		if errors.As(err, &other) {
			continue
		}
		return c, found, nil, err
	}
	return nil, found, other, nil
}

// parseCalibration reads a calibration, which must be of the model.
func parseCalibration(ctx context.Context, found foundCalibration, m models.Model, tax *dataset.Taxonomy) (*tagger.Calibration, error) {
	c, err := tagger.ParseCalibration(found.data, tax)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; emospan calibrate -m %s makes another", printable(found.name), err, m.Name)
	}
	if m.Part != nil && found.name != "built-in" { // compared when the bundle was made, and the hash of its converted model's source is not kept
		return c, nil
	}
	hashes, err := modelHashes(ctx, m)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(hashes, c.ModelSHA256) {
		return nil, fmt.Errorf("%s is the calibration of %s, another model; emospan calibrate -m %s makes one", printable(found.name), dataset.ShownName(c.Model), m.Name)
	}
	return c, nil
}

// smallFile is the most that readSmall reads, bytes.
const smallFile = 64 << 20

// readSmall reads a regular file of a size that a calibration may have. A pipe that nobody writes to would be waited for without end.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", printable(path))
	case info.Size() > smallFile:
		return nil, fmt.Errorf("%s has %d bytes, more than %d", printable(path), info.Size(), smallFile)
	}
	return os.ReadFile(path)
}

// modelHashes are the SHA-256 of the model's file and of what it was converted from.
func modelHashes(ctx context.Context, m models.Model) ([]string, error) {
	hash, err := m.Hash(ctx)
	if err != nil {
		return nil, err
	}
	return withSource(hash, m.Entry), nil
}

// withSource are a model's hash and, where it was converted, that of what it was made from. e may be nil.
func withSource(hash string, e *models.Entry) []string {
	if e != nil && e.Converted != nil {
		return []string{hash, e.Converted.SHA256}
	}
	return []string{hash}
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
	_, data, _ := content(bundle.Calibration)
	return m.Part != nil && prompt && len(data) == 0
}
