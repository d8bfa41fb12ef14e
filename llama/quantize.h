// Weight formats: converting a model's, reading a row's, timing a type's. quantize.cpp implements it by the rules of shim.h.
#ifndef EMOSPAN_QUANTIZE_H
#define EMOSPAN_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum es_format { ES_F16, ES_Q8_0, ES_Q4_0, ES_Q4_K_M };

// One conversion at a time: llama.cpp's log function, by which it is stopped, is the process's own.
typedef struct es_quantizer es_quantizer;
es_quantizer *es_quantizer_new(void);
void es_quantizer_free(es_quantizer *q);
void es_quantizer_stop(es_quantizer *q); // from any thread; the run ends before the next tensor
int es_quantizer_run(es_quantizer *q, const char *in, const char *out, enum es_format format, int32_t threads); // 0 done, 1 stopped, -1

// Unpacks elements weights of a ggml_type, which lie in bytes bytes and are whole blocks.
bool es_dequantize(uint32_t type, const void *packed, size_t bytes, float *out, int64_t elements);

// Processor time, in seconds, of one product of a (rows x columns) matrix of a ggml_type with a batch of vectors on one
// thread: the least of some repetitions. Negative on failure.
double es_mul_mat_seconds(uint32_t type, int64_t columns, int64_t rows, int64_t batch, int32_t repetitions);

#ifdef __cplusplus
}
#endif
#endif
