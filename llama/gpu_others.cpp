//go:build cgo && (cuda || metal)

#include "gpu.h"
#include "guard.h"

#include <cstdio>
#include <cstring>

#include "ggml-backend.h"

extern "C" ggml_backend_reg_t EMOSPAN_GPU(void);

// The devices as the back end itself lists them.
extern "C" int es_gpu_survey(es_gpu *out, int cap, char *why, size_t n) {
	return guard(-1, [&] {
		ggml_backend_reg_t reg = EMOSPAN_GPU();
		if (!reg) {
			snprintf(why, n, "the back end does not start");
			return -1;
		}
		int count = static_cast<int>(ggml_backend_reg_dev_count(reg));
		for (int i = 0; i < count && i < cap; i++) {
			ggml_backend_dev_t dev = ggml_backend_reg_dev_get(reg, i);
			memset(&out[i], 0, sizeof out[i]);
			snprintf(out[i].name, sizeof out[i].name, "%s", ggml_backend_dev_description(dev));
			out[i].type = ggml_backend_dev_type(dev) == GGML_BACKEND_DEVICE_TYPE_IGPU ? 2 : 1;
			size_t free = 0, total = 0;
			ggml_backend_dev_memory(dev, &free, &total);
			out[i].memory_free = free;
			out[i].memory_total = total;
		}
		return count < cap ? count : cap;
	});
}
