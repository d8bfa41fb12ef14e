//go:build !cgo || !(vulkan || cuda || metal)

package llama

// GPUs of an executable without a GPU back end: see gpu.go.
func GPUs() ([]GPUInfo, error) { return nil, ErrNoGPUBackend }

// StartGPU of an executable without a GPU back end: see gpu.go.
func StartGPU(GPUInfo) error { return ErrNoGPUBackend }
