package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/emospan/emospan/validate"
)

// resumption reads what an earlier run left beside the inputs: each text has a record in the output or a line in the log, and
// each sentence a line of its own, in the inputs' order. So the files themselves say what is done, and whether the inputs are
// the same; the manifest says with what, and how much of it must be there.
type resumption struct {
	*job
	old                *dataset.Manifest
	outs, rejs, places *dataset.Partial // places is nil where none are wanted
	want               string           // why the files do not go on with a text of the inputs
}

// resume takes over what an earlier run left; where that was all, it is true.
func (j *job) resume(ctx context.Context, prompt *tagger.Prompt) (finished bool, err error) {
	if _, err := os.Stat(j.opts.out); errors.Is(err, fs.ErrNotExist) {
		return false, j.create()
	}
	r := &resumption{job: j}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(); err != nil {
		return false, err
	}
	if _, err := j.find(ctx); err != nil {
		return false, err
	}
	if j.manifest.ModelSHA256, err = j.model.Hash(ctx); err != nil {
		return false, err
	}
	if err := j.identify(prompt); err != nil {
		return false, err
	}
	if err := r.admit(); err != nil {
		return false, err
	}
	if finished, err = r.replay(ctx); err != nil {
		return false, err
	}
	if finished {
		j.texts.close()
		if !j.opts.quiet {
			fmt.Fprintf(j.stderr, "%s is finished: %d accepted, %d rejected\n", printable(j.opts.out), j.manifest.Accepted, j.manifest.Rejected)
			printRejected(j.stderr, j.manifest.RejectCodes)
		}
		return true, nil
	}
	return false, r.cut()
}

func (r *resumption) open() (err error) {
	if r.outs, err = reopen(r.opts.out); err == nil {
		r.rejs, err = reopen(r.opts.rejects)
	}
	if err == nil && r.opts.sentences != "" {
		r.places, err = reopen(r.opts.sentences)
	}
	return err
}

func reopen(path string) (*dataset.Partial, error) {
	p, err := dataset.Reopen(path)
	if errors.Is(err, dataset.ErrLocked) {
		return nil, errLocked(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; make it one that can be read and written, or name another file", err)
	}
	return p, nil
}

func (r *resumption) all() []*dataset.Partial {
	return slices.DeleteFunc([]*dataset.Partial{r.outs, r.rejs, r.places}, func(p *dataset.Partial) bool { return p == nil })
}

func (r *resumption) close() (err error) {
	for _, p := range r.all() {
		err = errors.Join(err, p.Close())
	}
	return err
}

// admit reads the manifest, and refuses a run that is another than the one it tells of.
func (r *resumption) admit() (err error) {
	r.manifest.Emotions, r.manifest.RejectCodes = map[string]int{}, map[string]int{}
	r.old, err = dataset.ReadManifest(r.opts.manifest)
	none := errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return fmt.Errorf("%w; without it what made %s is not known: mend it, or begin anew with --force", err, r.opts.out)
	}
	if none {
		r.old = &dataset.Manifest{}
	}
	empty, err := r.empty()
	switch {
	case err != nil:
		return err
	case empty && (none || r.old.Synced == 0):
		r.old = &dataset.Manifest{}
		return nil
	case none:
		return fmt.Errorf("--resume: there is no manifest %s, so what made %s is not known; begin anew with --force, or name another file", r.opts.manifest, r.opts.out)
	}
	if differ := r.otherwise(); len(differ) > 0 {
		return usageError("--resume: %s was begun with another %s; give what it was begun with, or begin anew with --force", r.opts.out, strings.Join(differ, ", "))
	}
	r.parts = r.old.Parts
	r.manifest.Synced, r.manifest.Retries = r.old.Synced, r.old.Retries
	return nil
}

// otherwise names what would make other records, or records of other texts, with both values.
func (r *resumption) otherwise() (list []string) {
	now := r.manifest
	now.Sizes = r.opts.sizes // the rest of them is not settled yet, and may differ
	differ := r.old.Differences(&now)
	if r.old.Shard != now.Shard {
		differ = append(differ, dataset.Difference{What: "--shard", Mine: cmp.Or(r.old.Shard, "none"), Other: cmp.Or(now.Shard, "none")})
	}
	for _, d := range differ {
		list = append(list, fmt.Sprintf("%s (%s, now %s)", d.What, d.Mine, d.Other))
	}
	return list
}

// empty reports whether there is nothing to go on with.
func (r *resumption) empty() (bool, error) {
	for _, p := range []*dataset.Partial{r.outs, r.rejs} {
		if line, err := p.Peek(); line != nil || err != nil {
			return false, err
		}
	}
	return true, nil
}

// replay goes through the inputs as far as the files have them, and counts what there is. It is true where that is all of a run
// that came to its end.
func (r *resumption) replay(ctx context.Context) (finished bool, err error) {
	m := &r.manifest
	r.texts = openSource(&r.opts)
	ended := false
	for {
		in, bad, err := r.texts.next(ctx)
		if ended = err == io.EOF; ended {
			break
		}
		if err != nil {
			return false, err
		}
		has, err := r.match(in, bad)
		if err != nil {
			return false, err
		}
		if !has {
			r.texts.handBack(in, bad)
			break
		}
		m.Records++
	}
	r.earlier = m.Records
	whole, more := true, ""
	for _, p := range r.all() {
		line, err := p.Peek()
		if err != nil {
			return false, err
		}
		if line != nil && more == "" {
			more = p.Name()
		}
		whole = whole && !p.Torn()
	}
	switch {
	case ended && more != "":
		return false, fmt.Errorf("--resume: %s goes on where the input ends, behind %s; give the input and the --limit that it was begun with, or begin anew with --force", more, plural(m.Records, "text"))
	case m.Records < r.old.Synced:
		return false, fmt.Errorf("--resume: of %d texts that were done, text %d is not in %s as the input has it: %s; give the input that it was begun with and the files as they were, or begin anew with --force",
			r.old.Synced, m.Records+1, r.opts.out, cmp.Or(r.want, "the input ends there"))
	case r.opts.maxRejects > 0 && m.Rejected >= r.opts.maxRejects:
		return false, dataError("there are %d rejects already (--max-rejects %d); %s says why: go on with a higher number, or none", m.Rejected, r.opts.maxRejects, r.opts.rejects)
	}
	return ended && whole && !r.old.Interrupted && m.Records > 0, nil
}

// match reports whether the files go on with a text, and keeps the lines that it has there.
func (r *resumption) match(in dataset.Input, bad *dataset.LineError) (bool, error) {
	if r.places != nil && in.Sentence != nil {
		got, err := r.places.Peek()
		if err != nil {
			return false, err
		}
		if want, err := in.Sentence.AppendJSON(nil); err != nil || !bytes.Equal(got, want) {
			r.want = fmt.Sprintf("%s has no place for %q", r.places.Name(), in.ID)
			return false, nil
		}
	}
	has, err := r.matchRecord(in, bad)
	if has && r.places != nil && in.Sentence != nil {
		r.places.Keep()
	}
	return has, err
}

func (r *resumption) matchRecord(in dataset.Input, bad *dataset.LineError) (bool, error) {
	m := &r.manifest
	if bad == nil {
		line, err := r.outs.Peek()
		if err != nil {
			return false, err
		}
		if line != nil {
			if rec, problems := validate.Decode(line, r.taxonomy); len(problems) == 0 && r.isOf(rec, in) {
				r.outs.Keep()
				m.Accepted++
				tally(m, rec, 1)
				return true, nil
			}
		}
	}
	line, err := r.rejs.Peek()
	if err != nil {
		return false, err
	}
	if line != nil {
		if reject, err := dataset.ParseReject(line); err == nil && rejects(reject, in, bad) {
			r.rejs.Keep()
			m.Rejected++
			tallyCodes(m, reject.Reasons, 1)
			return true, nil
		}
	}
	id := in.ID
	if bad != nil {
		id = rejectID(bad)
	}
	r.want = fmt.Sprintf("neither it nor the reject log goes on with %q", id)
	return false, nil
}

// isOf reports whether a record is of a text and, where these were given, of its labels.
func (r *resumption) isOf(rec *dataset.Record, in dataset.Input) bool {
	if rec.SrcID != in.ID || rec.Text != in.Text {
		return false
	}
	return r.opts.labels == nil || tagger.AreGiven(r.opts.labels, in.Labels, rec.Predictions)
}

// rejects reports whether a line of the log is about a text, or a line of the inputs.
func rejects(r *dataset.Reject, in dataset.Input, bad *dataset.LineError) bool {
	if bad != nil {
		return r.SrcID == rejectID(bad) && r.Line == bad.Line && r.Index == bad.Index && len(r.Reasons) == 1 && r.Reasons[0].Code == bad.Reason.Code
	}
	return r.SrcID == in.ID && r.Line == in.Line && r.Index == in.Index && (r.Text == in.Text || !utf8.ValidString(in.Text))
}

func rejectID(bad *dataset.LineError) string { return cmp.Or(bad.ID, dataset.DefaultID(bad.Index)) }

// cut takes the files over, without what follows the last text that all of them have.
func (r *resumption) cut() (err error) {
	for _, f := range []struct {
		from *dataset.Partial
		to   **dataset.Writer
	}{{r.outs, &r.out}, {r.rejs, &r.rejected}, {r.places, &r.sentences}} {
		if f.from == nil {
			continue
		}
		if *f.to, err = f.from.Writer(); err != nil {
			return writeFailureOr(err, "go on with --resume", "see to that, then go on with --resume")
		}
	}
	r.order()
	return nil
}
