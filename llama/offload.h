// Where models are offloaded to; for the .cpp files alone.
#ifndef EMOSPAN_OFFLOAD_H
#define EMOSPAN_OFFLOAD_H

#include "ggml-backend.h"

// The device that es_gpu_start has chosen and a null behind it; just the null before. Weak: a build without a GPU back end has none.
__attribute__((weak)) ggml_backend_dev_t *offload_devices();

#endif
