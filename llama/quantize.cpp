//go:build cgo

#include "quantize.h"
#include "guard.h"
#include "shim.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml-cpu.h"
#include "llama.h"

struct es_quantizer {
	std::atomic<bool> stop{false};
	bool stopping = false; // the exception is on its way
	ggml_log_callback log = nullptr;
	void *log_data = nullptr;
};

namespace {

struct stopped : std::exception {
	const char *what() const noexcept override { return "stopped"; }
};

thread_local es_quantizer *running = nullptr;

// llama_model_quantize has no way to be stopped but this: it logs a line before each tensor, between two of its loops over
// threads, and it catches exceptions. Only lines of the information level of the thread that runs it are used: warnings may
// come from destructors, and lines of ggml from C.
void on_quantizer_log(ggml_log_level level, const char *text, void *data) {
	auto *q = static_cast<es_quantizer *>(data);
	q->log(level, text, q->log_data);
	if (running == q && level == GGML_LOG_LEVEL_INFO && !q->stopping && q->stop.load(std::memory_order_relaxed)) {
		q->stopping = true;
		throw stopped();
	}
}

struct log_guard {
	es_quantizer *q;
	explicit log_guard(es_quantizer *q) : q(q) {
		llama_log_get(&q->log, &q->log_data);
		llama_log_set(on_quantizer_log, q);
		ggml_log_set(q->log, q->log_data);
		running = q;
	}
	~log_guard() {
		running = nullptr;
		llama_log_set(q->log, q->log_data);
	}
};

llama_ftype ftype_of(es_format format) {
	switch (format) {
	case ES_F16: return LLAMA_FTYPE_MOSTLY_F16;
	case ES_Q8_0: return LLAMA_FTYPE_MOSTLY_Q8_0;
	case ES_Q4_0: return LLAMA_FTYPE_MOSTLY_Q4_0;
	case ES_Q4_K_M: return LLAMA_FTYPE_MOSTLY_Q4_K_M;
	}
	return LLAMA_FTYPE_GUESSED;
}

// The types that ggml_quantize_chunk makes without an importance matrix; it asserts on others.
bool packs(uint32_t type) {
	switch (type) {
	case GGML_TYPE_F32: case GGML_TYPE_F16: case GGML_TYPE_BF16:
	case GGML_TYPE_Q4_0: case GGML_TYPE_Q4_1: case GGML_TYPE_Q5_0: case GGML_TYPE_Q5_1: case GGML_TYPE_Q8_0:
	case GGML_TYPE_Q2_K: case GGML_TYPE_Q3_K: case GGML_TYPE_Q4_K: case GGML_TYPE_Q5_K: case GGML_TYPE_Q6_K:
	case GGML_TYPE_IQ4_NL: case GGML_TYPE_IQ4_XS:
		return true;
	}
	return false;
}

ggml_context_ptr small_context() {
	ggml_init_params p = {};
	p.mem_size = ggml_tensor_overhead() * 8 + ggml_graph_overhead();
	p.no_alloc = true;
	ggml_context_ptr ctx(ggml_init(p));
	if (!ctx) {
		throw std::bad_alloc();
	}
	return ctx;
}

// Where llama.cpp's loader would put the weights of a product: the first of the CPU's own kinds of buffer, which repack
// them for faster kernels, that takes the operation, else plain memory.
ggml_backend_buffer_type_t weight_buffer(ggml_backend_dev_t cpu, ggml_tensor *weights, ggml_tensor *product) {
	auto get = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
		ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_dev_get_extra_bufts"));
	for (ggml_backend_buffer_type_t *b = get ? get(cpu) : nullptr; b && *b; b++) {
		ggml_backend_buffer_ptr probe(ggml_backend_buft_alloc_buffer(*b, 0));
		weights->buffer = probe.get();
		const bool takes = ggml_backend_dev_supports_op(cpu, product);
		weights->buffer = nullptr;
		if (takes) {
			return *b;
		}
	}
	return ggml_backend_dev_buffer_type(cpu);
}

// A matrix whose rows are all the same: the time does not depend on what it holds.
std::vector<uint8_t> pack_matrix(ggml_type type, int64_t columns, int64_t rows) {
	std::vector<float> row(columns);
	for (int64_t i = 0; i < columns; i++) {
		row[i] = std::sin(0.7f * i) / 16;
	}
	const size_t size = ggml_row_size(type, columns);
	std::vector<uint8_t> packed(size * rows);
	ggml_quantize_chunk(type, row.data(), packed.data(), 0, 1, columns, nullptr);
	for (int64_t r = 1; r < rows; r++) {
		memcpy(packed.data() + r * size, packed.data(), size);
	}
	return packed;
}

// What this thread has had of a processor: programs that compete for it do not count.
double processor_seconds() {
	timespec t = {};
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

double mul_mat_seconds(ggml_type type, int64_t columns, int64_t rows, int64_t batch, int repetitions) {
	ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
	ggml_backend_ptr backend(cpu ? ggml_backend_dev_init(cpu, nullptr) : nullptr);
	if (!backend) {
		es_set_error("no CPU back end");
		return -1;
	}
	auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
		ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_set_n_threads"));
	set_threads(backend.get(), 1); // this one, whose time is taken

	ggml_context_ptr weight_ctx = small_context(), ctx = small_context();
	ggml_tensor *w = ggml_new_tensor_2d(weight_ctx.get(), type, columns, rows);
	ggml_tensor *x = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, columns, batch);
	ggml_tensor *y = ggml_mul_mat(ctx.get(), w, x);
	ggml_cgraph *graph = ggml_new_graph_custom(ctx.get(), 8, false);
	ggml_build_forward_expand(graph, y);

	ggml_backend_buffer_ptr weight_buf(ggml_backend_alloc_ctx_tensors_from_buft(weight_ctx.get(), weight_buffer(cpu, w, y)));
	ggml_backend_buffer_ptr buf(ggml_backend_alloc_ctx_tensors(ctx.get(), backend.get()));
	if (!weight_buf || !buf) {
		es_set_error("out of memory");
		return -1;
	}
	// As the loader does, so that the operation knows its operand for weights.
	ggml_backend_buffer_set_usage(weight_buf.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
	const std::vector<uint8_t> packed = pack_matrix(type, columns, rows);
	ggml_backend_tensor_set(w, packed.data(), 0, packed.size());
	const std::vector<float> input(columns * batch, 0.5f);
	ggml_backend_tensor_set(x, input.data(), 0, input.size() * sizeof(float));

	double fastest = -1;
	for (int i = 0; i < repetitions + 1; i++) {
		const double start = processor_seconds();
		if (ggml_backend_graph_compute(backend.get(), graph) != GGML_STATUS_SUCCESS) {
			es_set_error("the product could not be computed");
			return -1;
		}
		const double took = processor_seconds() - start;
		if (i > 0 && (fastest < 0 || took < fastest)) { // the first brings code and weights into the caches
			fastest = took;
		}
	}
	return fastest;
}

} // namespace

extern "C" {

es_quantizer *es_quantizer_new(void) { return new (std::nothrow) es_quantizer; }
void es_quantizer_free(es_quantizer *q) { delete q; }
void es_quantizer_stop(es_quantizer *q) { q->stop.store(true, std::memory_order_relaxed); }

int es_quantizer_run(es_quantizer *q, const char *in, const char *out, es_format format, int32_t threads) {
	return guard(-1, [&] {
		llama_model_quantize_params p = llama_model_quantize_default_params();
		p.nthread = threads;
		p.ftype = ftype_of(format);
		p.allow_requantize = true;
		p.max_buf_size = size_t(256) << 20;
		uint32_t failed;
		{
			log_guard log(q);
			failed = llama_model_quantize(in, out, &p);
		}
		return q->stopping ? 1 : failed ? -1 : 0;
	});
}

bool es_dequantize(uint32_t type, const void *packed, size_t bytes, float *out, int64_t elements) {
	if (type >= GGML_TYPE_COUNT) {
		es_set_error("unknown type of weights");
		return false;
	}
	const ggml_type t = static_cast<ggml_type>(type);
	const ggml_type_traits *traits = ggml_get_type_traits(t);
	if (traits->blck_size == 0 || elements % traits->blck_size != 0 || ggml_row_size(t, elements) != bytes) {
		es_set_error("the weights are not whole blocks of their type");
		return false;
	}
	if (t == GGML_TYPE_F32) {
		memcpy(out, packed, bytes);
		return true;
	}
	if (!traits->to_float) {
		es_set_error("weights of this type cannot be unpacked");
		return false;
	}
	traits->to_float(packed, out, elements);
	return true;
}

double es_mul_mat_seconds(uint32_t type, int64_t columns, int64_t rows, int64_t batch, int32_t repetitions) {
	if (!packs(type)) {
		es_set_error("weights of this type cannot be made");
		return -1;
	}
	return guard(-1.0, [&] { return mul_mat_seconds(static_cast<ggml_type>(type), columns, rows, batch, repetitions); });
}

} // extern "C"
