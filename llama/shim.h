// The part of llama.cpp's C API that package llama uses, as plain C that Go can see. shim.cpp implements it and is compiled
// against upstream's own headers, so a change of theirs fails the build. No C++ exception leaves it: a call that can fail
// returns NULL or a negative number, and es_take_errors tells why.
#ifndef EMOSPAN_SHIM_H
#define EMOSPAN_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct es_model es_model;     // llama_model
typedef struct es_context es_context; // llama_context and its thread pool

// Log. Lines of llama.cpp and ggml are kept in memory; the caller frees what these return.
void es_log_init(void);
char *es_take_errors(void);    // the error lines since the previous call, in one, or NULL
char *es_log_take(void);       // all lines since the previous call, each "L text\n", L one of D I W E, or NULL
void es_set_error(const char *line);

// CPU variants and devices.
bool es_variant_linked(const char *name);
int es_variant_register(const char *name); // 0, or -1 where it is not linked
char *es_variant_features(void);           // "AVX2 FMA …" as the registered variant reports them
typedef struct {
	const char *name, *description;
	size_t memory_free, memory_total;
	int type; // 0 CPU, 1 GPU, 2 integrated GPU, 3 other
} es_device;
int es_device_count(void);
bool es_device_get(int index, es_device *out);

// Model.
typedef struct {
	bool vocab_only, use_mmap;
	int32_t gpu_layers; // on the device that es_gpu_start has chosen
} es_load_params;
es_model *es_model_load(const char *path, es_load_params p);
es_model *es_model_load_file(FILE *file, es_load_params p); // from the file's current position
void es_load_stop(bool on);    // has loading, now and later, fail; may be called from any thread
float es_load_progress(void);  // of the loading that goes on, from 0 to 1; likewise
void es_model_free(es_model *m);
int32_t es_model_n_ctx_train(const es_model *m);
int32_t es_model_n_embd(const es_model *m);
int32_t es_model_n_layer(const es_model *m);
int32_t es_model_n_head(const es_model *m);
int32_t es_model_n_head_kv(const es_model *m);
uint64_t es_model_size(const es_model *m);
uint64_t es_model_n_params(const es_model *m);
bool es_model_generates(const es_model *m); // has a causal decoder that yields text
char *es_model_desc(const es_model *m);
int32_t es_model_meta_count(const es_model *m);
char *es_model_meta_key(const es_model *m, int32_t i);
char *es_model_meta_value(const es_model *m, int32_t i);

// Vocabulary.
int32_t es_vocab_size(const es_model *m);
int32_t es_vocab_bos(const es_model *m);
bool es_vocab_add_bos(const es_model *m);
bool es_vocab_is_eog(const es_model *m, int32_t token);
bool es_vocab_is_control(const es_model *m, int32_t token);
// Returns the number of tokens; where that is over cap, -needed; INT32_MIN on an exception.
int32_t es_tokenize(const es_model *m, const char *text, int32_t len, int32_t *out, int32_t cap, bool parse_special);
int32_t es_piece(const es_model *m, int32_t token, char *out, int32_t cap, bool special); // as es_tokenize, in bytes

// Context.
typedef struct {
	uint32_t n_ctx, n_batch, n_ubatch, n_seq_max;
	int32_t n_threads;
	int32_t flash_attention; // -1 auto, 0 off, 1 on
	bool kv_unified;
	int32_t kv_type; // 0 f16, 1 q8_0, 2 f32
} es_context_params;
es_context *es_context_new(es_model *m, es_context_params p, const int32_t *layers, int32_t n_layers); // whose states it keeps
void es_context_free(es_context *c);
uint32_t es_context_size(const es_context *c);
uint32_t es_context_batch(const es_context *c); // most tokens of one es_decode
// n tokens, token i at position pos[i] of sequence seq[i], logits computed where want[i] is not 0.
// 0 done, 1 no room in the KV cache, 2 aborted, negative: error.
int32_t es_decode(es_context *c, int32_t n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want);
const float *es_logits(es_context *c, int32_t i);
// States of the layers that the context keeps, of the last batch decoded; for a context that keeps some.
int32_t es_states_try(es_context *c, int32_t n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want);
int32_t es_states_shape(const es_context *c, int32_t i); // after es_states_try
bool es_states_complete(const es_context *c, int32_t n); // whether all n rows are there
const float *es_states_rows(const es_context *c, int32_t i); // of the ith layer, row after row in the order of es_states_order
typedef struct {
	const int32_t *tokens, *sizes; // in the order of computing: each row's token, and the rows of each micro-batch
	int32_t n_tokens, n_sizes;
} es_states_computed;
es_states_computed es_states_order(const es_context *c);
void es_kv_clear(es_context *c);
bool es_kv_remove(es_context *c, int32_t seq, int32_t p0, int32_t p1);
void es_kv_copy(es_context *c, int32_t from, int32_t to, int32_t p0, int32_t p1);
void es_abort(es_context *c, bool on); // may be called from another thread than the one in es_decode

#ifdef __cplusplus
}
#endif
#endif
