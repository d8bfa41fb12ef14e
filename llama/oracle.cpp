//go:build cgo

#include "oracle.h"
#include "guard.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "llama.h"

struct es_grammar {
	llama_sampler *sampler = nullptr;
	std::vector<llama_token_data> candidates; // one for each token of the vocabulary
	bool failed = false;

	explicit es_grammar(size_t tokens) : candidates(tokens) {}
	~es_grammar() { llama_sampler_free(sampler); }

	// Applies the grammar to the first n candidates. It takes the logit of 0 from those that it does not allow.
	void apply(size_t n) {
		if (failed) {
			throw std::runtime_error("the grammar failed before");
		}
		llama_token_data_array first = {candidates.data(), n, -1, false};
		llama_sampler_apply(sampler, &first);
	}
	bool allowed(size_t i) const { return candidates[i].logit == 0; }
};

extern "C" {

es_grammar *es_grammar_new(const es_model *m, const char *gbnf) {
	std::unique_ptr<es_grammar> g;
	bool ok = guard(false, [&] {
		g = std::make_unique<es_grammar>(es_vocab_size(m));
		g->sampler = llama_sampler_init_grammar(llama_model_get_vocab(reinterpret_cast<const llama_model *>(m)), gbnf, "root");
		return g->sampler != nullptr;
	});
	return ok ? g.release() : nullptr;
}

es_grammar *es_grammar_clone(const es_grammar *g) {
	std::unique_ptr<es_grammar> clone;
	bool ok = guard(false, [&] {
		clone = std::make_unique<es_grammar>(g->candidates.size());
		clone->sampler = llama_sampler_clone(g->sampler);
		clone->failed = g->failed;
		return true;
	});
	return ok ? clone.release() : nullptr;
}

void es_grammar_free(es_grammar *g) { delete g; }

bool es_grammar_reset(es_grammar *g) {
	return guard(false, [&] {
		llama_sampler_reset(g->sampler);
		g->failed = false;
		return true;
	});
}

bool es_grammar_apply(es_grammar *g, uint64_t *mask) {
	return guard(false, [&] {
		size_t n = g->candidates.size();
		for (size_t i = 0; i < n; i++) {
			g->candidates[i] = {static_cast<llama_token>(i), 0, 0};
		}
		g->apply(n);
		std::fill(mask, mask + (n + 63) / 64, 0);
		for (size_t i = 0; i < n; i++) {
			mask[i / 64] |= static_cast<uint64_t>(g->allowed(i)) << (i % 64);
		}
		return true;
	});
}

bool es_grammar_accept(es_grammar *g, int32_t token) {
	return guard(false, [&] {
		// Of tokens that are not allowed, those that end the generation abort the process, and some are accepted.
		g->candidates[0] = {token, 0, 0};
		g->apply(1);
		if (!g->allowed(0)) {
			es_set_error("the token is not allowed");
			return false;
		}
		g->failed = true; // unless it returns
		llama_sampler_accept(g->sampler, token);
		g->failed = false;
		return true;
	});
}

} // extern "C"
