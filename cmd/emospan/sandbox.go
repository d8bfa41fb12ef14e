package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/sandbox"
	"github.com/emospan/emospan/tagger"
)

// restartable is set in the program, which can be executed anew, and not in its tests.
var restartable bool

// place decides between CPU and GPU and puts the process into its sandbox. Only a run on the CPU has one: a GPU's driver opens files,
// devices and perhaps sockets of its own, now and later, and no list of them holds for all drivers.
func (j *job) place() (err error) {
	o := &j.opts
	if o.device == deviceAuto && (sandbox.Entered() || o.deterministic) {
		o.device = deviceCPU // decided before, or to be
	}
	if j.gpu, err = surveyGPUs(o.device); err != nil {
		return err
	}
	if j.gpu.GPU != nil && !j.gpu.Demand && !j.fitsGPU() {
		j.gpu.GPU = nil
	}
	if j.gpu.GPU != nil {
		j.sandbox = "off (" + gpuName(j.gpu.GPU) + ")"
		return nil
	}
	j.sandbox, err = o.restrict()
	return err
}

// placed notes where the model has come to lie.
func (j *job) placed(e *engine) {
	if e.gpuFault != nil {
		fmt.Fprintf(j.stderr, "emospan: warning: %s; the CPU is used\n", oneLine(e.gpuFault.Error()))
	}
	j.sizes, j.manifest.GPULayers = e.sizes, e.offload.Layers
}

// fitsGPU reports whether a layer of the model fits the GPU. What cannot be read is for the run to say.
func (j *job) fitsGPU() bool {
	o := &j.opts
	m, err := resolveModel(models.OpenDefault(), o.model)
	if err != nil {
		return false
	}
	g, err := m.Open()
	if err != nil {
		return false
	}
	defer g.Close()
	if g.Usable() != nil {
		return false
	}
	sizes, _, err := chooseSizes(m, g, j.gpu.GPU, tagger.Decode(o.decode), nil, o.threads, o.parallel, o.sizes)
	return err == nil && offloaded(g, sizes, availableMemory()).Layers > 0
}

// restrict puts the process under what the kernel has, before anything is read or written: it may execute the program anew. It
// returns what is in force, for the manifest.
func (o *tagOptions) restrict() (string, error) {
	if o.noSandbox {
		return "off (--no-sandbox)", nil
	}
	program := ""
	if restartable {
		program = programPath()
	}
	state, err := sandbox.Restrict(o.policy(), program, os.Args)
	if err != nil {
		return "", fmt.Errorf("the sandbox cannot be set up: %w; run again with --no-sandbox", err)
	}
	return state.String(), nil
}

// programPath is what to execute: by name, for the sake of those who list processes, where that still is this process's file.
func programPath() string {
	path, err := selfPath()
	if err != nil {
		return ""
	}
	name, err := os.Readlink(path)
	if err != nil {
		return path
	}
	self, serr := os.Stat(path)
	named, nerr := os.Stat(name)
	if serr == nil && nerr == nil && os.SameFile(self, named) {
		return name
	}
	return path
}

// policy lists the files of a run: what it is told to read, what it knows of the machine and of the model from earlier runs, and
// the folders of its outputs.
func (o *tagOptions) policy() sandbox.Policy {
	p := sandbox.Policy{Read: []string{
		"/proc", "/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm/transparent_hugepage", // memory, cores, NUMA nodes
		o.prompt.file, o.taxonomy, o.calibrate,
	}}
	if path, err := selfPath(); err == nil {
		p.Read = append(p.Read, path) // hashed for the manifest, and what a bundle's model is in
	}
	store := models.OpenDefault()
	p.Read = append(p.Read, store.Folders()...)
	if model, err := resolveModel(store, o.model); err == nil {
		p.Read = append(p.Read, model.Path)
		if path, err := store.CalibrationPath(model); err == nil {
			p.Read = append(p.Read, path)
		}
		if files, err := model.Files(); err == nil {
			p.Read = append(p.Read, files...)
		}
	}
	if dir, err := os.UserCacheDir(); err == nil {
		p.Read = append(p.Read, filepath.Join(dir, "emospan"))
	}
	p.Read = append(p.Read, o.files...)
	for _, path := range []string{o.out, o.rejects, o.manifest, o.sentences, o.cpuProfile} {
		if path == "" || path == "-" {
			continue
		}
		info, err := os.Stat(path)
		if err == nil {
			p.Write = append(p.Write, path) // it may be a link, or a device
		}
		if err != nil || info.Mode().IsRegular() {
			p.Write = append(p.Write, filepath.Dir(path))
		}
	}
	return p
}
