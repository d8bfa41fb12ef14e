// Hidden states of the layers that a context was made with; for the .cpp files alone. llama.cpp calls es_states::on_node for every
// node of a graph that it computes.
#ifndef EMOSPAN_STATES_H
#define EMOSPAN_STATES_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ggml.h"

class es_states {
public:
	// Reserves memory for max_rows rows of width numbers for each layer. Throws std::bad_alloc.
	es_states(const int32_t *layers, int32_t n_layers, int32_t width, int32_t max_rows);

	void begin(); // before each batch

	// Not null where the batch is a trial: no states are kept, only their shapes. It is set as soon as these are known.
	std::atomic<bool> *stop = nullptr;

	// Whether all rows of the last batch, of which there were n, are there.
	bool complete(int32_t n) const;

	// A ggml_backend_sched_eval_callback whose data is an es_states.
	static bool on_node(ggml_tensor *t, bool ask, void *data);

	struct layer {
		int32_t number;
		int32_t rows = 0;  // of the last batch that are there
		int32_t shape = 0; // after a trial: rows of its first micro-batch; 0 where the layer has no states, -1 where they are no vector a row
		float *values;     // max_rows * width, row after row in the order in which llama.cpp computed them
	};
	std::vector<layer> layers;
	std::vector<int32_t> tokens; // of the last batch's rows in that order
	std::vector<int32_t> sizes;  // rows of each micro-batch

private:
	void begin_micro_batch(const ggml_tensor *ids);
	layer *find(const char *name);
	void try_shape(layer &l, const ggml_tensor *t);
	void keep(layer &l, const ggml_tensor *t);

	int64_t width, max_rows;
	std::unique_ptr<float[]> values;
	bool open = false; // a micro-batch whose tokens are known and whose states are still to come
	bool fault = false;
};

#endif
