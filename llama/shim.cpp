//go:build cgo

#include "shim.h"
#include "guard.h"
#include "mappedfile.h"
#include "offload.h"
#include "states.h"
#include "team.h"

#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "llama.h"

// Weak: an executable holds the variants that were linked, the others are null here.
extern "C" {
#define VARIANT(name) __attribute__((weak)) ggml_backend_reg_t ggml_backend_cpu_reg_##name(void);
VARIANT(sse42)
VARIANT(avx2)
VARIANT(avx512)
VARIANT(avx512vnni)
VARIANT(avx512bf16)
VARIANT(amx)
VARIANT(neon)
VARIANT(dotprod)
VARIANT(fp16)
VARIANT(i8mm)
VARIANT(sve)
VARIANT(sve2)
#undef VARIANT
}

namespace {

using reg_fn = ggml_backend_reg_t (*)(void);

reg_fn find_variant(const char *name) {
	const struct {
		const char *name;
		reg_fn reg;
	} table[] = {
		{"sse42", ggml_backend_cpu_reg_sse42},           {"avx2", ggml_backend_cpu_reg_avx2},
		{"avx512", ggml_backend_cpu_reg_avx512},         {"avx512vnni", ggml_backend_cpu_reg_avx512vnni},
		{"avx512bf16", ggml_backend_cpu_reg_avx512bf16}, {"amx", ggml_backend_cpu_reg_amx},
		{"neon", ggml_backend_cpu_reg_neon},             {"dotprod", ggml_backend_cpu_reg_dotprod},
		{"fp16", ggml_backend_cpu_reg_fp16},             {"i8mm", ggml_backend_cpu_reg_i8mm},
		{"sve", ggml_backend_cpu_reg_sve},               {"sve2", ggml_backend_cpu_reg_sve2},
	};
	for (const auto &v : table) {
		if (strcmp(v.name, name) == 0) {
			return v.reg;
		}
	}
	return nullptr;
}

ggml_backend_reg_t cpu_reg = nullptr;

template <typename F> F cpu_proc(const char *name) {
	return cpu_reg ? reinterpret_cast<F>(ggml_backend_reg_get_proc_address(cpu_reg, name)) : nullptr;
}

constexpr size_t log_limit = 1 << 20; // older lines are dropped beyond this
std::mutex log_mutex;
std::string log_lines, errors;
char log_level = 'I'; // of the line that a GGML_LOG_LEVEL_CONT goes on with
bool log_at_start = true;
std::string error_line;
thread_local bool log_off = false; // only errors of this thread are kept, as errors

// The first of several error lines tends to say what happened, the last what came of it: all are kept, within reason.
void add_error(const std::string &line) {
	if (errors.size() < 2000) {
		errors += (errors.empty() ? "" : "; ") + line;
	}
}

void on_log(ggml_log_level level, const char *text, void *) {
	std::lock_guard<std::mutex> lock(log_mutex);
	if (level != GGML_LOG_LEVEL_CONT) {
		log_level = level == GGML_LOG_LEVEL_ERROR ? 'E' : level == GGML_LOG_LEVEL_WARN ? 'W' : level == GGML_LOG_LEVEL_DEBUG ? 'D' : 'I';
	}
	for (const char *p = text; *p; p++) {
		if (!log_off) {
			if (log_at_start) {
				log_lines += log_level;
				log_lines += ' ';
			}
			log_lines += *p;
		}
		log_at_start = false;
		if (log_level == 'E' && *p != '\n') {
			error_line += *p;
		}
		if (*p == '\n') {
			log_at_start = true;
			if (!error_line.empty()) {
				add_error(error_line);
				error_line.clear();
			}
		}
	}
	if (log_lines.size() > log_limit) {
		log_lines.erase(0, log_lines.find('\n', log_limit / 2) + 1);
	}
}

char *copy_string(const std::string &s) {
	char *p = static_cast<char *>(malloc(s.size() + 1));
	if (p) {
		memcpy(p, s.c_str(), s.size() + 1);
	}
	return p;
}

llama_model *model_of(es_model *m) { return reinterpret_cast<llama_model *>(m); }
std::atomic<bool> load_stop{false};
std::atomic<float> load_progress{0};

const llama_model *model_of(const es_model *m) { return reinterpret_cast<const llama_model *>(m); }
const llama_vocab *vocab_of(const es_model *m) { return llama_model_get_vocab(model_of(m)); }

llama_model_params model_params(es_load_params from) {
	static ggml_backend_dev_t none = nullptr;
	load_progress.store(0, std::memory_order_relaxed);
	llama_model_params p = llama_model_default_params();
	p.vocab_only = from.vocab_only;
	p.load_mode = from.use_mmap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
	p.n_gpu_layers = from.gpu_layers;
	p.progress_callback = [](float progress, void *) {
		load_progress.store(progress, std::memory_order_relaxed);
		return !load_stop.load(std::memory_order_relaxed);
	};
	// With a device in the list llama.cpp computes large batches there even if no layer lies on it.
	p.devices = from.gpu_layers > 0 && offload_devices ? offload_devices() : &none;
	return p;
}

// The size that snprintf-like getters ask for, then the string; NULL where there is none.
template <typename F> char *get_string(F get) {
	return guard<char *>(nullptr, [&]() -> char * {
		int32_t n = get(nullptr, 0);
		if (n < 0) {
			return nullptr;
		}
		std::vector<char> buf(static_cast<size_t>(n) + 1);
		get(buf.data(), buf.size());
		return copy_string(std::string(buf.data(), n));
	});
}

} // namespace

struct es_context {
	llama_context *ctx = nullptr;
	ggml_threadpool_t pool = nullptr;
	es_team_ptr team;
	std::unique_ptr<es_states> states; // null where none are kept
	std::atomic<bool> abort{false};
	std::vector<int32_t> ones;
	std::vector<llama_seq_id *> seqs;
};

extern "C" {

void es_log_init(void) {
	llama_log_set(on_log, nullptr);
	ggml_log_set(on_log, nullptr);
}

void es_set_error(const char *line) {
	std::lock_guard<std::mutex> lock(log_mutex);
	add_error(line);
}

char *es_take_errors(void) {
	std::lock_guard<std::mutex> lock(log_mutex);
	if (errors.empty()) {
		return nullptr;
	}
	char *p = copy_string(errors);
	errors.clear();
	return p;
}

char *es_log_take(void) {
	std::lock_guard<std::mutex> lock(log_mutex);
	if (log_lines.empty()) {
		return nullptr;
	}
	char *p = copy_string(log_lines);
	log_lines.clear();
	log_at_start = true;
	return p;
}

bool es_variant_linked(const char *name) { return find_variant(name) != nullptr; }

int es_variant_register(const char *name) {
	reg_fn reg = find_variant(name);
	if (!reg) {
		return -1;
	}
	return guard(-1, [&] {
		llama_backend_init();
		cpu_reg = reg();
		ggml_backend_register(cpu_reg);
		return 0;
	});
}

char *es_variant_features(void) {
	auto get = cpu_proc<ggml_backend_get_features_t>("ggml_backend_get_features");
	std::string s;
	for (ggml_backend_feature *f = get ? get(cpu_reg) : nullptr; f && f->name; f++) {
		s += (s.empty() ? "" : " ") + std::string(f->name);
	}
	return copy_string(s);
}

int es_device_count(void) { return static_cast<int>(ggml_backend_dev_count()); }

bool es_device_get(int index, es_device *out) {
	if (index < 0 || index >= es_device_count()) {
		return false;
	}
	return guard(false, [&] {
		ggml_backend_dev_t dev = ggml_backend_dev_get(index);
		out->name = ggml_backend_dev_name(dev);
		out->description = ggml_backend_dev_description(dev);
		ggml_backend_dev_memory(dev, &out->memory_free, &out->memory_total);
		switch (ggml_backend_dev_type(dev)) {
		case GGML_BACKEND_DEVICE_TYPE_CPU: out->type = 0; break;
		case GGML_BACKEND_DEVICE_TYPE_GPU: out->type = 1; break;
		case GGML_BACKEND_DEVICE_TYPE_IGPU: out->type = 2; break;
		default: out->type = 3;
		}
		return true;
	});
}

es_model *es_model_load(const char *path, es_load_params p) {
	return guard<es_model *>(nullptr, [&] {
		return reinterpret_cast<es_model *>(llama_model_load_from_file(path, model_params(p)));
	});
}

es_model *es_model_load_file(FILE *file, es_load_params p) {
	return guard<es_model *>(nullptr, [&] {
		return reinterpret_cast<es_model *>(llama_model_load_from_file_ptr(file, model_params(p)));
	});
}

void es_load_stop(bool on) { load_stop.store(on, std::memory_order_relaxed); }
float es_load_progress(void) { return load_progress.load(std::memory_order_relaxed); }
void es_model_free(es_model *m) { llama_model_free(model_of(m)); }
int32_t es_model_n_ctx_train(const es_model *m) { return llama_model_n_ctx_train(model_of(m)); }
int32_t es_model_n_embd(const es_model *m) { return llama_model_n_embd(model_of(m)); }
int32_t es_model_n_layer(const es_model *m) { return llama_model_n_layer(model_of(m)); }
int32_t es_model_n_head(const es_model *m) { return llama_model_n_head(model_of(m)); }
int32_t es_model_n_head_kv(const es_model *m) { return llama_model_n_head_kv(model_of(m)); }
uint64_t es_model_size(const es_model *m) { return llama_model_size(model_of(m)); }
uint64_t es_model_n_params(const es_model *m) { return llama_model_n_params(model_of(m)); }

bool es_model_generates(const es_model *m) {
	const llama_model *model = model_of(m);
	return llama_model_has_decoder(model) && !llama_model_has_encoder(model) && !llama_model_is_diffusion(model);
}

char *es_model_desc(const es_model *m) {
	return get_string([&](char *buf, size_t n) { return llama_model_desc(model_of(m), buf, n); });
}
int32_t es_model_meta_count(const es_model *m) { return llama_model_meta_count(model_of(m)); }
char *es_model_meta_key(const es_model *m, int32_t i) {
	return get_string([&](char *buf, size_t n) { return llama_model_meta_key_by_index(model_of(m), i, buf, n); });
}
char *es_model_meta_value(const es_model *m, int32_t i) {
	return get_string([&](char *buf, size_t n) { return llama_model_meta_val_str_by_index(model_of(m), i, buf, n); });
}

int32_t es_vocab_size(const es_model *m) { return llama_vocab_n_tokens(vocab_of(m)); }
int32_t es_vocab_bos(const es_model *m) { return llama_vocab_bos(vocab_of(m)); }
bool es_vocab_add_bos(const es_model *m) { return llama_vocab_get_add_bos(vocab_of(m)); }
bool es_vocab_is_eog(const es_model *m, int32_t token) { return llama_vocab_is_eog(vocab_of(m), token); }
bool es_vocab_is_control(const es_model *m, int32_t token) { return llama_vocab_is_control(vocab_of(m), token); }

int32_t es_tokenize(const es_model *m, const char *text, int32_t len, int32_t *out, int32_t cap, bool parse_special) {
	return guard<int32_t>(INT32_MIN, [&] { return llama_tokenize(vocab_of(m), text, len, out, cap, false, parse_special); });
}

int32_t es_piece(const es_model *m, int32_t token, char *out, int32_t cap, bool special) {
	return guard<int32_t>(INT32_MIN, [&] { return llama_token_to_piece(vocab_of(m), token, out, cap, 0, special); });
}

es_context *es_context_new(es_model *m, es_context_params p, const int32_t *layers, int32_t n_layers) {
	es_context *c = new (std::nothrow) es_context;
	if (!c) {
		es_set_error("out of memory");
		return nullptr;
	}
	bool ok = guard(false, [&] {
		llama_context_params cp = llama_context_default_params();
		cp.n_ctx = p.n_ctx;
		cp.n_batch = p.n_batch;
		cp.n_ubatch = p.n_ubatch;
		cp.n_seq_max = p.n_seq_max;
		cp.n_threads = cp.n_threads_batch = p.n_threads;
		cp.flash_attn_type = p.flash_attention < 0    ? LLAMA_FLASH_ATTN_TYPE_AUTO
		                     : p.flash_attention == 0 ? LLAMA_FLASH_ATTN_TYPE_DISABLED
		                                              : LLAMA_FLASH_ATTN_TYPE_ENABLED;
		cp.kv_unified = p.kv_unified;
		cp.type_k = cp.type_v = p.kv_type == 1 ? GGML_TYPE_Q8_0 : p.kv_type == 2 ? GGML_TYPE_F32 : GGML_TYPE_F16;
		cp.no_perf = true;
		cp.abort_callback = [](void *data) { return static_cast<es_context *>(data)->abort.load(std::memory_order_relaxed) || es_mapped_file_lost(); };
		cp.abort_callback_data = c;
		if (n_layers > 0) {
			c->states.reset(new es_states(layers, n_layers, llama_model_n_embd(model_of(m)), p.n_batch));
			cp.cb_eval = es_states::on_node;
			cp.cb_eval_user_data = c->states.get();
		}
		c->ctx = llama_init_from_model(model_of(m), cp);
		if (!c->ctx) {
			return false;
		}
		c->team = es_team_new(p.n_threads);
		// Without a pool of its own ggml makes and drops one for every graph; compiled for OpenMP it has no threads.
		auto pool_new = cpu_proc<decltype(&ggml_threadpool_new)>("ggml_threadpool_new");
		ggml_threadpool_params tp = ggml_threadpool_params_default(p.n_threads);
		c->pool = pool_new ? pool_new(&tp) : nullptr;
		if (!c->pool) {
			es_set_error("cannot start the thread pool");
			return false;
		}
		llama_attach_threadpool(c->ctx, c->pool, c->pool);
		c->ones.assign(p.n_batch, 1);
		c->seqs.resize(p.n_batch);
		return true;
	});
	if (!ok) {
		es_context_free(c);
		return nullptr;
	}
	return c;
}

void es_context_free(es_context *c) {
	if (c->ctx) {
		llama_free(c->ctx);
	}
	if (c->pool) {
		cpu_proc<decltype(&ggml_threadpool_free)>("ggml_threadpool_free")(c->pool);
	}
	delete c;
}

uint32_t es_context_size(const es_context *c) { return llama_n_ctx(c->ctx); }
uint32_t es_context_batch(const es_context *c) { return llama_n_batch(c->ctx); }

int32_t es_decode(es_context *c, int32_t n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want) {
	return guard<int32_t>(-1000, [&] {
		for (int32_t i = 0; i < n; i++) {
			c->seqs[i] = const_cast<llama_seq_id *>(seq + i);
		}
		llama_batch b = {};
		b.n_tokens = n;
		b.token = const_cast<llama_token *>(tokens);
		b.pos = const_cast<llama_pos *>(pos);
		b.n_seq_id = c->ones.data();
		b.seq_id = c->seqs.data();
		b.logits = const_cast<int8_t *>(want);
		if (c->states) {
			c->states->begin();
		}
		es_team_use use(c->team.get());
		int32_t status = llama_decode(c->ctx, b);
		if (status == 0) {
			llama_synchronize(c->ctx); // here a GPU's fault becomes an error; reading the logits would wait as long
		}
		return status;
	});
}

int32_t es_states_try(es_context *c, int32_t n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want) {
	c->states->stop = &c->abort;
	log_off = true; // llama.cpp warns of being aborted
	const int32_t status = es_decode(c, n, tokens, pos, seq, want);
	log_off = false;
	c->states->stop = nullptr;
	c->abort.store(false, std::memory_order_relaxed);
	return status == 2 ? 0 : status;
}

int32_t es_states_shape(const es_context *c, int32_t i) { return c->states->layers[i].shape; }
bool es_states_complete(const es_context *c, int32_t n) { return c->states->complete(n); }
const float *es_states_rows(const es_context *c, int32_t i) { return c->states->layers[i].values; }
es_states_computed es_states_order(const es_context *c) {
	const es_states &s = *c->states;
	return {s.tokens.data(), s.sizes.data(), static_cast<int32_t>(s.tokens.size()), static_cast<int32_t>(s.sizes.size())};
}

const float *es_logits(es_context *c, int32_t i) {
	return guard<const float *>(nullptr, [&] { return llama_get_logits_ith(c->ctx, i); });
}

void es_kv_clear(es_context *c) { llama_memory_clear(llama_get_memory(c->ctx), false); }
bool es_kv_remove(es_context *c, int32_t seq, int32_t p0, int32_t p1) {
	return guard(false, [&] { return llama_memory_seq_rm(llama_get_memory(c->ctx), seq, p0, p1); });
}
void es_kv_copy(es_context *c, int32_t from, int32_t to, int32_t p0, int32_t p1) {
	guard(0, [&] {
		llama_memory_seq_cp(llama_get_memory(c->ctx), from, to, p0, p1);
		return 0;
	});
}
void es_abort(es_context *c, bool on) { c->abort.store(on, std::memory_order_relaxed); }

} // extern "C"
