//go:build cgo

#include "states.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ggml-backend.h"

es_states::es_states(const int32_t *numbers, int32_t n_layers, int32_t width, int32_t max_rows)
	: width(width), max_rows(max_rows), values(new float[size_t(n_layers) * max_rows * width]) {
	for (int32_t i = 0; i < n_layers; i++) {
		layer l;
		l.number = numbers[i];
		l.values = values.get() + size_t(i) * max_rows * width;
		layers.push_back(l);
	}
	tokens.reserve(max_rows);
	sizes.reserve(max_rows);
}

void es_states::begin() {
	tokens.clear();
	sizes.clear();
	for (layer &l : layers) {
		l.rows = 0;
	}
	open = fault = false;
}

bool es_states::complete(int32_t n) const {
	return !fault && tokens.size() == size_t(n) && std::all_of(layers.begin(), layers.end(), [n](const layer &l) { return l.rows == n; });
}

// llama.cpp names the residual stream after layer N "l_out-N". A view or a copy of it has a longer name.
es_states::layer *es_states::find(const char *name) {
	if (strncmp(name, "l_out-", 6) != 0) {
		return nullptr;
	}
	char *end;
	const long number = strtol(name + 6, &end, 10);
	if (end == name + 6 || *end != 0) {
		return nullptr;
	}
	auto l = std::find_if(layers.begin(), layers.end(), [number](const layer &l) { return l.number == number; });
	return l == layers.end() ? nullptr : &*l;
}

// ids are the tokens whose embeddings are looked up. Some architectures do so twice, for the residual stream and for each layer.
void es_states::begin_micro_batch(const ggml_tensor *ids) {
	const int64_t n = ggml_nelements(ids);
	if (open) {
		return;
	}
	if (ids->type != GGML_TYPE_I32 || !ggml_is_contiguous(ids) || int64_t(tokens.size()) + n > max_rows) {
		fault = true;
		return;
	}
	open = true;
	const size_t before = tokens.size();
	tokens.resize(before + n); // within what is reserved, as the sizes are
	ggml_backend_tensor_get(ids, tokens.data() + before, 0, n * sizeof(int32_t));
	sizes.push_back(static_cast<int32_t>(n));
}

void es_states::try_shape(layer &l, const ggml_tensor *t) {
	if (l.shape == 0 && !sizes.empty()) {
		const bool vectors = t->type == GGML_TYPE_F32 && t->ne[0] == width && ggml_nrows(t) <= sizes[0];
		l.shape = vectors ? static_cast<int32_t>(ggml_nrows(t)) : -1;
	}
	if (std::all_of(layers.begin(), layers.end(), [](const layer &l) { return l.shape != 0; })) {
		stop->store(true, std::memory_order_relaxed);
	}
}

void es_states::keep(layer &l, const ggml_tensor *t) {
	const int64_t n = ggml_nrows(t);
	if (sizes.empty() || n != sizes.back() || l.rows + n != int64_t(tokens.size()) || t->ne[0] != width || t->type != GGML_TYPE_F32 ||
	    !ggml_is_contiguous(t)) {
		fault = true;
		return;
	}
	ggml_backend_tensor_get(t, l.values + l.rows * width, 0, ggml_nbytes(t));
	l.rows += static_cast<int32_t>(n);
	open = !complete(static_cast<int32_t>(tokens.size()));
}

// Asked about each node before it is computed, answers whether its values are wanted; those that are come with ask false. The nodes
// between two wanted ones are computed together.
bool es_states::on_node(ggml_tensor *t, bool ask, void *data) {
	es_states &s = *static_cast<es_states *>(data);
	if (!ask) {
		if (layer *l = s.find(t->name)) {
			s.keep(*l, t);
		}
		return true; // false would leave out the rest of the graph
	}
	// On a device the tokens are a copy, whose name has more before and after.
	if (t->op == GGML_OP_GET_ROWS && t->src[1] && strstr(t->src[1]->name, "inp_tokens")) {
		s.begin_micro_batch(t->src[1]);
	}
	layer *l = s.find(t->name);
	if (l && s.stop) {
		s.try_shape(*l, t);
		return false;
	}
	return l != nullptr;
}
