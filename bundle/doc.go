// Package bundle puts a program and a model into one executable file, and finds
// the model again when that file runs.
//
// A bundle is the program as it was, byte for byte, then at the next multiple of
// 4096 bytes a header, then the GGUF file at the next such multiple, then the
// smaller files:
//
//	program | header: magic, length and SHA-256 of the index, index (JSON) | GGUF | prompt, taxonomy, calibration
//
// The kernel runs such a file as it runs the program: it maps what the ELF
// header names. The program finds the header because its own ELF tables say
// where it ends. Nothing is unpacked: llama.cpp maps the GGUF from where it is.
// What stands before the header has the hash of the program that was bundled,
// so head -c and sha256sum compare it with a release.
//
// [Read] checks the header against its hash, the length of the file, and the
// hashes of all files but the program and the model, which may take gigabytes;
// [Bundle.Verify] checks those too.
package bundle
