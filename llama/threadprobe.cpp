//go:build cgo && threadprobe

#include "threadprobe.h"
#include "guard.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml-cpu.h"

namespace {

struct attempts {
	const char *open_path, *create_path;
	es_attempt *out;
};

int error_of(int fd) {
	if (fd < 0) {
		return errno;
	}
	close(fd);
	return 0;
}

// ggml calls it on each of its threads.
void attempt(ggml_tensor *, const ggml_tensor *, int ith, int, void *data) {
	auto *a = static_cast<attempts *>(data);
	es_attempt &r = a->out[ith];
	r.thread = static_cast<int32_t>(syscall(SYS_gettid));
	r.open_error = error_of(open(a->open_path, O_RDONLY));
	r.create_error = error_of(open(a->create_path, O_WRONLY | O_CREAT, 0600));
	r.socket_error = error_of(socket(AF_INET, SOCK_STREAM, 0));
}

} // namespace

extern "C" int es_probe_threads(int32_t threads, const char *open_path, const char *create_path, es_attempt *out) {
	return guard(-1, [&] {
		ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
		ggml_backend_ptr backend(cpu ? ggml_backend_dev_init(cpu, nullptr) : nullptr);
		if (!backend) {
			es_set_error("no CPU back end");
			return -1;
		}
		auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
			ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_set_n_threads"));
		set_threads(backend.get(), threads);
		ggml_context_ptr ctx(ggml_init({ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true}));
		attempts a{open_path, create_path, out};
		ggml_tensor *x = ggml_new_tensor_1d(ctx.get(), GGML_TYPE_F32, threads);
		ggml_tensor *y = ggml_map_custom1(ctx.get(), x, attempt, threads, &a);
		ggml_cgraph *graph = ggml_new_graph(ctx.get());
		ggml_build_forward_expand(graph, y);
		ggml_backend_buffer_ptr buf(ggml_backend_alloc_ctx_tensors(ctx.get(), backend.get()));
		if (!buf || ggml_backend_graph_compute(backend.get(), graph) != GGML_STATUS_SUCCESS) {
			es_set_error("the graph could not be computed");
			return -1;
		}
		return 0;
	});
}
