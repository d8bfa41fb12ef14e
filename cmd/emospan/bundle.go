package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

type bundleOptions struct {
	model, out            string
	prompt                promptOptions
	taxonomy, calibration string
	force, verify         bool
	extract               string
}

func newBundle() *cobra.Command {
	var o bundleOptions
	cmd := &cobra.Command{
		Use:   "bundle [FILE]",
		Short: "Make one executable of the program and a model, or check or unpack one",
		Long: `Make an executable file that holds this program and a model and, where they are named, a prompt, a
taxonomy and a calibration. Run without -m it uses them. The model is mapped from the executable, not
unpacked, so it starts as fast and takes as much memory as from a file of its own. From a bundle, bundle
makes another with another model; prompt and taxonomy stay unless others are named.

At every start a bundle's length, header and smaller files are checked. --verify reads all of it and
compares the hashes of program and model too. --extract writes the program and each file to a folder.
Both are about the bundle named, or this executable. The program in a bundle is unchanged: the first
bytes of the file, as many as --verify prints, have the hash that SHA256SUMS of a release states. Where
this executable is for one class of CPU, or needs shared libraries, so does the bundle, which is said.`,
		Example: `  emospan bundle -o emospan-smollm2
  emospan bundle -m llama3:instruct --taxonomy moods.json -o emospan-llama3
  ./emospan-llama3 tag texts.txt -o tagged.jsonl
  ./emospan-llama3 bundle --verify`,
		Args: takes(0, 1, "file", "emospan bundle --verify FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			making := o.out != ""
			switch {
			case making && (o.verify || o.extract != ""):
				return usageError("-o makes a bundle, --verify and --extract are about one; use one of them at a time")
			case making && len(args) > 0:
				return usageError("%s: a model is named by -m; see emospan bundle --help", args[0])
			case making:
				return o.make(cmd)
			case !o.verify && o.extract == "":
				return usageError("nothing to do: name the executable to make by -o, or use --verify or --extract; see emospan bundle --help")
			}
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			return o.read(cmd, path)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: the bundle's own, else "+defaultModelName+")")
	f.StringVarP(&o.out, "out", "o", "", "executable `FILE` to make")
	f.StringVar(&o.prompt.file, "prompt-file", "", "prompt `FILE` to hold, used where --prompt names no other")
	f.StringVar(&o.prompt.name, "prompt", tagger.Level2, "its `NAME` in the records")
	f.StringVar(&o.taxonomy, "taxonomy", "", "taxonomy `FILE` to hold, used where --taxonomy names no other")
	f.StringVar(&o.calibration, "calibrate", autoCalibration, "the calibration to hold, used unless tag has --calibrate none or another, `auto|none|FILE`: what tag would use for the model (auto), none, or a file of emospan calibrate's")
	f.BoolVar(&o.force, "force", false, "replace an existing file")
	f.BoolVar(&o.verify, "verify", false, "compare every byte with the hashes noted when the bundle was made")
	f.StringVar(&o.extract, "extract", "", "write the program, the model and the other files to `FOLDER`")
	return cmd
}

// make writes the bundle beside its place and renames it.
func (o *bundleOptions) make(cmd *cobra.Command) (err error) {
	if err := followLinks(&o.out); err != nil {
		return err
	}
	own, err := ownBundle()
	if err != nil {
		return fmt.Errorf("this executable is a damaged bundle: %w; bundle with a whole one", err)
	}
	store := models.OpenDefault()
	model, err := resolveModel(store, o.model)
	if err != nil {
		return err
	}
	if _, err := checkModel(model); err != nil {
		return err
	}
	contents, err := o.contents(cmd.Context(), own, model)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.out); err == nil && !o.force {
		return errThere(o.out)
	}
	if err := checkFolder(o.out); err != nil {
		return err
	}
	path, err := selfPath()
	if err != nil {
		return fmt.Errorf("this executable's file cannot be found: %w; mount /proc", err)
	}
	executable, err := os.Open(path)
	if err != nil {
		return err
	}
	defer executable.Close()
	if why := notPortable(llama.Variants, llama.Linked, neededLibc(path)); why != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "emospan: note: the bundle, as this executable, %s; dist/emospan of make release runs on older CPUs too and needs no libraries: bundle with that for other machines\n", why)
	}

	tmp := fmt.Sprintf("%s.%d.tmp", o.out, os.Getpid())
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp)
		}
	}()
	index, err := bundle.Write(cmd.Context(), f, executable, model, contents)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return bundleFailure(cmd.Context(), o.out, err)
	}
	if err := os.Rename(tmp, o.out); err != nil {
		return err
	}
	return describeBundle(cmd.OutOrStdout(), o.out, &index)
}

func bundleFailure(ctx context.Context, out string, err error) error {
	if err := cause(ctx, err); errors.Is(err, errInterrupted) {
		return fmt.Errorf("%w; nothing was written", err)
	}
	return fmt.Errorf("cannot write %s: %w", out, err)
}

// contents reads and checks the smaller files: those named, else those of the bundle that this executable is.
func (o *bundleOptions) contents(ctx context.Context, own *bundle.Bundle, model models.Model) ([]bundle.Content, error) {
	var list []bundle.Content
	add := func(role bundle.Role, path, name string, check func(name string, data []byte) error) error {
		var data []byte
		var err error
		switch {
		case path != "":
			if data, err = readSmall(path); err != nil {
				return fmt.Errorf("%s: %w; name another file", role, err)
			}
		case own == nil:
			return nil
		default:
			var ok bool
			if name, data, ok = own.Content(role); !ok {
				return nil
			}
		}
		if err := check(name, data); err != nil {
			return fmt.Errorf("%s %s: %w", role, cmp.Or(path, "of this bundle"), err)
		}
		list = append(list, bundle.Content{Role: role, Name: name, Data: data})
		return nil
	}
	if o.prompt.file == "" && o.prompt.name != tagger.Level2 {
		return nil, usageError("--prompt %s names the prompt of --prompt-file; add that", o.prompt.name)
	}
	err := add(bundle.Prompt, o.prompt.file, o.prompt.name, func(name string, data []byte) error {
		_, err := tagger.ParsePrompt(name, string(data))
		return err
	})
	if err != nil {
		return nil, err
	}
	tax := dataset.Default()
	err = add(bundle.Taxonomy, o.taxonomy, filepath.Base(o.taxonomy), func(_ string, data []byte) (err error) {
		tax, err = dataset.ParseTaxonomy(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && list[0].Role == bundle.Prompt && o.calibration == autoCalibration && (o.prompt.file != "" || model.Part == nil || bundlesPrompt(model)) {
		return list, nil // the model is to answer the prompt
	}
	found, err := calibrationToHold(ctx, o.calibration, model, tax)
	if err != nil || found == nil {
		return list, err
	}
	return append(list, bundle.Content{Role: bundle.Calibration, Name: found.name, Data: found.data}), nil
}

// calibrationToHold is the calibration that a bundle is to use by what --calibrate says: empty for none at all, nil where auto finds none.
func calibrationToHold(ctx context.Context, calibrate string, model models.Model, tax *dataset.Taxonomy) (*foundCalibration, error) {
	switch calibrate {
	case noCalibration:
		return &foundCalibration{name: noCalibration}, nil
	case autoCalibration:
		c, found, _, err := ownCalibration(ctx, model, tax)
		if err != nil || c == nil && found.name != noCalibration {
			return nil, err
		}
		if c != nil {
			found.name = cmp.Or(c.Name, calibrationName)
		}
		return &found, nil
	}
	data, err := readSmall(calibrate)
	if err != nil {
		return nil, fmt.Errorf("--calibrate: %w; name a file that emospan calibrate has written, auto or none", err)
	}
	c, err := parseCalibration(ctx, foundCalibration{calibrate, data}, model, tax)
	if err != nil {
		return nil, err
	}
	return &foundCalibration{cmp.Or(c.Name, calibrationName), data}, nil
}

// calibrationName is what a bundle calls a calibration that has no name.
const calibrationName = "calibration"

// read verifies or extracts a bundle.
func (o *bundleOptions) read(cmd *cobra.Command, path string) error {
	name := cmp.Or(path, "this executable")
	if path == "" {
		var err error
		if path, err = selfPath(); err != nil {
			return err
		}
	}
	b, err := openBundle(path)
	switch {
	case errors.Is(err, bundle.ErrNone):
		return fmt.Errorf("%s is not a bundle: %w; emospan bundle -o FILE makes one", name, err)
	case errors.As(err, new(*os.PathError)):
		return fmt.Errorf("%w; name a bundle", err)
	case err == nil && o.extract != "":
		var files []string
		if files, err = b.Extract(cmd.Context(), o.extract); errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%w; name an empty or new folder", err)
		} else if errors.As(err, new(*os.PathError)) {
			return fmt.Errorf("%w; name another folder", err)
		}
		for _, file := range files {
			fmt.Fprintln(cmd.OutOrStdout(), printable(file))
		}
	case err == nil:
		if err = b.Verify(cmd.Context()); err == nil {
			err = describeBundle(cmd.OutOrStdout(), "", &b.Index)
		}
	}
	if err := cause(cmd.Context(), err); errors.Is(err, errInterrupted) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s is damaged: %w; copy it again from where it came", name, err)
	}
	return nil
}

func describeBundle(w io.Writer, out string, x *bundle.Index) error {
	return table(w, func(w io.Writer) {
		if out != "" {
			fmt.Fprintf(w, "bundle\t%s\t%d bytes\n", printable(out), x.Size)
		}
		fmt.Fprintf(w, "program\t\t%d bytes\tsha256 %s\n", x.Program.Size, x.Program.SHA256)
		fmt.Fprintf(w, "model\t%s\t%d bytes\tsha256 %s\n", printable(x.Model.Name), x.Model.Size, x.Model.SHA256)
		for _, f := range x.Files {
			fmt.Fprintf(w, "%s\t%s\t%d bytes\tsha256 %s\n", f.Role, printable(f.Name), f.Size, f.SHA256)
		}
	})
}
