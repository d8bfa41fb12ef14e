// llama.cpp's grammar sampler. oracle.cpp implements it by the rules of shim.h.
#ifndef EMOSPAN_ORACLE_H
#define EMOSPAN_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim.h"

#ifdef __cplusplus
extern "C" {
#endif

// A sampler that failed has no stacks left and aborts the process when it is applied again: each of these fails then, but reset.
typedef struct es_grammar es_grammar;
es_grammar *es_grammar_new(const es_model *m, const char *gbnf);
es_grammar *es_grammar_clone(const es_grammar *g);
void es_grammar_free(es_grammar *g);
bool es_grammar_reset(es_grammar *g);
bool es_grammar_apply(es_grammar *g, uint64_t *mask); // sets bit i%64 of word i/64 where token i is left, clears it where not
bool es_grammar_accept(es_grammar *g, int32_t token);

#ifdef __cplusplus
}
#endif
#endif
