// Package models keeps the GGUF files that emospan runs.
//
// [Store.Resolve] turns what a user typed after --model, a name in the store
// or a path, into a [Model]. [OpenGGUF] reads and checks a file's header and
// [GGUF.Usable] says whether emospan can run it; both are meant to be called
// before the file is handed to llama.cpp, which ends the process on some
// malformed input. [Pull] fetches a pinned model by name, [PullURL] any from a
// server; [Store.Add] imports a file of the user's own, [Store.Ollama] finds a
// model that Ollama keeps on the machine.
//
// [Store.Make] adds a model that the caller makes, such as a conversion of
// another one to a [Format]; [GGUF.Converted] foretells what that will hold and
// [WeightError] tells how far its weights are off.
//
// [WriteSynthetic] makes a model of Llama shape with random weights and a real
// vocabulary, for tests. A [SyntheticModel] is one of a public model's size with
// the vocabulary that the executable holds, for benchmarks.
//
// Only Pull, which runs pip, and PullURL use the network; both follow the
// machine's own settings for proxies and certificates.
package models
