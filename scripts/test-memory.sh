#!/usr/bin/env bash
# Whether memory stays as it is as files grow: test-memory.sh EMOSPAN. The model is a tiny one, made here; a million texts are tagged with a
# stub in its place.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=${1:?usage: test-memory.sh EMOSPAN}
model=$(mktemp -d)
trap 'rm -rf "$model"' EXIT
"${GO:-go}" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-bpe.gguf" "$model/tiny.gguf"
"${PYTHON:-python3}" -B scripts/check_memory.py "$exe" "$model/tiny.gguf"
"${GO:-go}" test -count=1 -timeout 60m -v -tags reliability ./cmd/emospan -run '^TestTagMemory$'
