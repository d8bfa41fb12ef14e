package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/emospan/emospan/dataset"
)

// The values of --fsync.
const (
	fsyncNever    = "never"
	fsyncInterval = "interval"
	fsyncAlways   = "always"
)

const (
	// flushEvery bounds how much finished work a killed run can lose.
	flushEvery = time.Second
	// checkEvery is the time between checkpoints: how much a power cut can cost.
	checkEvery = 5 * time.Second
)

// unsaved is what was handed to the outputs and may yet be taken off them: since they were last synced, or flushed where they
// never are.
type unsaved struct {
	records []*dataset.Record
	rejects []*dataset.Reject
}

func (u *unsaved) reset() {
	u.records, u.rejects = u.records[:0], u.rejects[:0]
}

// create opens the outputs, so that one that cannot be written is known before any work is done.
func (j *job) create() (err error) {
	o := &j.opts
	if j.out, err = createOutput(o.out, o.force); err != nil {
		return err
	}
	// A file whose name follows from the output's belongs to it: where that is new or replaced, so is the file.
	ours := func(flag string) bool {
		_, named := o.flags[flag]
		return o.force || !named
	}
	if o.rejects != "" {
		if j.rejected, err = createOutput(o.rejects, ours("rejects")); err != nil {
			return err
		}
	}
	if o.sentences != "" { // a card's record has no field for them
		if j.sentences, err = createOutput(o.sentences, ours("sentences")); err != nil {
			return err
		}
	}
	if o.manifest != "" {
		if err := checkManifest(o.manifest, ours("manifest")); err != nil {
			return err
		}
	}
	j.order()
	return nil
}

// outputs are those that there are, in the order in which they are written: a record never stands in the output without the
// place of its sentence and the rejects before it.
func (j *job) outputs() []*dataset.Writer {
	var all []*dataset.Writer
	for _, w := range []*dataset.Writer{j.sentences, j.rejected, j.out} {
		if w != nil {
			all = append(all, w)
		}
	}
	return all
}

func (j *job) order() {
	var before []*dataset.Writer
	for _, w := range j.outputs() {
		w.Follow(before...)
		before = append(before, w)
	}
}

// abort ends the outputs of a run that failed; after finish it does nothing.
func (j *job) abort() (err error) {
	for _, w := range j.outputs() {
		err = errors.Join(err, w.Abort())
	}
	return err
}

func (j *job) closeOutputs() (err error) {
	for _, w := range j.outputs() {
		err = errors.Join(err, w.Close())
	}
	return err
}

// begin makes the outputs this run's, once, when there is something to write: before any of it the manifest says what it will
// have been made with.
func (j *job) begin() error {
	if j.begun || !j.opts.toFile {
		return nil
	}
	j.begun = true
	if j.earlier == 0 {
		// An old manifest must not speak for new records, nor a new one for old records.
		if err := os.Remove(j.opts.manifest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, w := range j.outputs() {
		if err := w.Begin(); err != nil {
			return err
		}
	}
	return j.checkpoint()
}

// flush writes out what is finished, once a second or at once.
func (j *job) flush() error {
	now := time.Now()
	switch {
	case j.opts.toFile && now.Sub(j.checked) >= checkEvery:
		return j.checkpoint()
	case j.opts.toFile && j.opts.fsync == fsyncAlways:
		return j.sync()
	case j.opts.flush || now.Sub(j.flushed) >= flushEvery:
		j.flushed = now
		return j.save()
	}
	return nil
}

// save writes what is finished.
func (j *job) save() error {
	for _, w := range j.outputs() {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if !j.opts.toFile || j.opts.fsync == fsyncNever {
		j.unsaved.reset()
	}
	return nil
}

func (j *job) sync() error {
	for _, w := range j.outputs() {
		if err := w.Sync(); err != nil {
			return err
		}
	}
	j.unsaved.reset()
	return nil
}

// checkpoint saves all that is finished, and the account of it behind that.
func (j *job) checkpoint() error {
	m := &j.manifest
	m.Interrupted = true
	if j.opts.fsync == fsyncNever {
		if err := j.save(); err != nil {
			return err
		}
	} else {
		if err := j.sync(); err != nil {
			return err
		}
		m.Synced = m.Records
	}
	j.measure()
	j.checked = time.Now()
	return j.writeManifest()
}

func (j *job) writeManifest() error {
	write := j.manifest.WriteFile
	if j.opts.fsync == fsyncNever {
		write = j.manifest.WriteUnsynced
	}
	if err := write(j.opts.manifest); err != nil {
		switch {
		case !j.opts.toFile:
			return fmt.Errorf("%w; what is in the output is whole", err)
		case noRoom(err):
			return fmt.Errorf("%w; make room, then go on with --resume", err)
		}
		return fmt.Errorf("%w; see to that, then go on with --resume", err)
	}
	return nil
}

// takeBack makes the manifest count what is in the output and the log: not what could not be written.
func (j *job) takeBack() {
	m := &j.manifest
	lost := m.Accepted - j.out.Records()
	for _, r := range j.unsaved.records[len(j.unsaved.records)-lost:] {
		tally(m, r, -1)
	}
	m.Accepted -= lost
	if j.rejected != nil {
		lost := m.Rejected - j.rejected.Records()
		for _, r := range j.unsaved.rejects[len(j.unsaved.rejects)-lost:] {
			tallyCodes(m, r.Reasons, -1)
		}
		m.Rejected -= lost
	}
	m.Records = m.Accepted + m.Rejected
}

// failure says which output could not be written to its end, and what to do.
func (j *job) failure(err error) error {
	if !j.opts.toFile {
		return writeFailure(err)
	}
	return writeFailureOr(err, "go on with --resume", "see to that, then go on with --resume")
}
