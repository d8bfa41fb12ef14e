//go:build cgo && (vulkan || cuda || metal)

package llama

/*
#include "gpu.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// maxGPUs is ggml's limit too.
const maxGPUs = 16

// GPUs lists the devices that the driver offers, whether or not they can be used. The error says why none can be looked for: no
// loader, no driver. It changes nothing in this process but that the driver's libraries may be in it afterwards.
func GPUs() ([]GPUInfo, error) {
	types := []DeviceType{CPU, GPU, IntegratedGPU, OtherDevice, SoftwareGPU}
	var found [maxGPUs]C.es_gpu
	var why [256]C.char
	n := C.es_gpu_survey(&found[0], maxGPUs, &why[0], C.size_t(len(why)))
	if n < 0 {
		return nil, errors.New(C.GoString(&why[0]))
	}
	gpus := make([]GPUInfo, 0, n)
	for i, d := range found[:n] {
		gpus = append(gpus, GPUInfo{
			Index: i, Name: C.GoString(&d.name[0]), Type: types[d._type], Unfit: C.GoString(&d.unfit[0]),
			MemoryFree: uint64(d.memory_free), MemoryTotal: uint64(d.memory_total),
		})
	}
	return gpus, nil
}

// StartGPU makes a device that GPUs listed the one to which models are offloaded (LoadOptions.GPULayers). The first call decides
// for the process.
func StartGPU(g GPUInfo) error {
	if _, err := Start(); err != nil {
		return err
	}
	index := g.Index
	if GPUBackend == "Vulkan" {
		// By this variable ggml takes the device even where it would pass it over, and only this one.
		if err := os.Setenv(EnvVisibleGPUs, strconv.Itoa(index)); err != nil {
			return err
		}
		index = 0
	}
	clearErrors()
	if C.es_gpu_start(C.int(index)) != 0 {
		return lastError(fmt.Sprintf("%s cannot be started", g.Name))
	}
	return nil
}
