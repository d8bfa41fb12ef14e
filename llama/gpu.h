// The GPU back end that was linked in, for gpu.go: Vulkan (vulkan.c), or one of those that llama.cpp has besides.
#ifndef EMOSPAN_GPU_H
#define EMOSPAN_GPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	char name[256];
	char unfit[128]; // why ggml cannot compute on it, or empty
	int type;        // as es_device's, and 4 for one that computes on the CPU
	uint64_t memory_free, memory_total; // bytes, of its own memory or what it may use of the machine's
} es_gpu;

// Fills in the first cap devices and returns how many there are. -1: none can be looked for, and why (never longer than n) says why.
int es_gpu_survey(es_gpu *out, int cap, char *why, size_t n);

// Registers the back end with ggml and makes the device of that index the one that models are offloaded to. 0, or -1.
int es_gpu_start(int index);

#ifdef __cplusplus
}
#endif
#endif
