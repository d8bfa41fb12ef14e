//go:build cgo && (vulkan || cuda || metal)

#include "gpu.h"
#include "guard.h"
#include "offload.h"

#include <cstring>

#include "ggml-backend.h"

// EMOSPAN_GPU is the entry of the back end that native/build.sh had built.
extern "C" ggml_backend_reg_t EMOSPAN_GPU(void);

namespace {
ggml_backend_dev_t devices[2]; // ends with null, as llama.cpp wants it
}

ggml_backend_dev_t *offload_devices() { return devices; }

extern "C" int es_gpu_start(int index) {
	return guard(-1, [&] {
		ggml_backend_reg_t reg = EMOSPAN_GPU();
		if (!reg || index < 0 || static_cast<size_t>(index) >= ggml_backend_reg_dev_count(reg)) {
			es_set_error("the back end does not have the device");
			return -1;
		}
		ggml_backend_register(reg);
		devices[0] = ggml_backend_reg_dev_get(reg, index);
		return 0;
	});
}
