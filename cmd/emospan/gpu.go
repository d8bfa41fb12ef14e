package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/llama"
)

// Values of --device.
const (
	deviceAuto = "auto"
	deviceCPU  = "cpu"
	deviceGPU  = "gpu"
)

const deviceUsage = "where to run: auto (a GPU that emospan devices calls usable, for as many layers as fit it, else the CPU), cpu, or gpu (an error where there is none)"

// leastGPUMemory is the free memory below which a GPU is passed over whatever the model: the driver, the buffers and a layer take
// as much.
const leastGPUMemory = 512 << 20

// A gpuReport says of a GPU whether models are offloaded to it, and if not, why.
type gpuReport struct {
	llama.GPUInfo
	Chosen bool   `json:"chosen"`
	Reason string `json:"reason,omitempty"`
}

// A gpuChoice is what the driver offers, and what comes of it.
type gpuChoice struct {
	Reports []gpuReport
	GPU     *llama.GPUInfo // nil: the CPU computes
	Why     string         // there is none
	Demand  bool           // --device gpu: another than a GPU will not do
}

// surveyGPUs asks the driver for its devices and chooses one, as --device says. It does so before the sandbox is set up, which
// leaves no room for a driver.
func surveyGPUs(device string) (gpuChoice, error) {
	if device == deviceCPU {
		return gpuChoice{Why: "--device cpu"}, nil
	}
	gpus, err := llama.GPUs()
	c := gpuChoice{Demand: device == deviceGPU}
	if err != nil {
		c.Why = err.Error()
	} else {
		visible, listed := os.LookupEnv(llama.EnvVisibleGPUs)
		c.choose(gpus, visible, listed && llama.GPUBackend == "Vulkan")
	}
	if c.GPU != nil {
		return c, nil
	}
	return c, c.demanded(c.Why)
}

// demanded is the error that a lack of a GPU is where --device gpu asks for one.
func (c *gpuChoice) demanded(why string) error {
	if !c.Demand {
		return nil
	}
	return fmt.Errorf("--device gpu: %s; emospan devices lists what there is, --device cpu does without", why)
}

// choose takes the GPU with most free memory, one of its own before one that shares the machine's. Of the numbers in visible, where
// they are listed, it takes one: the variable may also name a device in software, which --device gpu then uses.
func (c *gpuChoice) choose(gpus []llama.GPUInfo, visible string, listed bool) {
	shown := strings.FieldsFunc(visible, func(r rune) bool { return r == ',' || r == ' ' })
	rank := []llama.DeviceType{llama.SoftwareGPU, llama.OtherDevice, llama.IntegratedGPU, llama.GPU}
	best := -1
	for i, g := range gpus {
		r := gpuReport{GPUInfo: g}
		switch named := slices.Contains(shown, strconv.Itoa(g.Index)); {
		case g.Unfit != "":
			r.Reason = g.Unfit
		case listed && !named:
			r.Reason = llama.EnvVisibleGPUs + " leaves it out"
		case g.Type == llama.SoftwareGPU && !(c.Demand && named):
			r.Reason = fmt.Sprintf("it computes in software, on the CPU, which is faster without it (%s=%d and --device gpu use it all the same)",
				llama.EnvVisibleGPUs, g.Index)
		case g.MemoryFree < leastGPUMemory:
			r.Reason = fmt.Sprintf("too little memory: %s free of %s", bytesText(int64(g.MemoryFree)), bytesText(int64(g.MemoryTotal)))
		case best < 0 || slices.Index(rank, g.Type) > slices.Index(rank, gpus[best].Type) ||
			g.Type == gpus[best].Type && g.MemoryFree > gpus[best].MemoryFree:
			best = i
		}
		c.Reports = append(c.Reports, r)
	}
	var reasons []string
	for i := range c.Reports {
		r := &c.Reports[i]
		switch {
		case i == best:
			r.Chosen, c.GPU = true, &gpus[i]
		case r.Reason == "":
			r.Reason = fmt.Sprintf("one GPU is used, %s (%s=%d uses this one)", gpus[best].Name, llama.EnvVisibleGPUs, r.Index)
		default:
			reasons = append(reasons, r.Name+": "+r.Reason)
		}
	}
	switch {
	case best >= 0:
	case len(gpus) == 0:
		c.Why = "the driver lists no device"
	default:
		c.Why = strings.Join(reasons, "; ")
	}
}

// String says which GPU is used, or why none.
func (c *gpuChoice) String() string {
	if c.GPU == nil {
		return "none used: " + c.Why
	}
	return fmt.Sprintf("%s, for as many layers of a model as fit its memory", gpuName(c.GPU))
}

// gpuName is how manifests and reports call the device.
func gpuName(g *llama.GPUInfo) string {
	if g == nil {
		return deviceCPU
	}
	return llama.GPUBackend + " " + g.Name
}
