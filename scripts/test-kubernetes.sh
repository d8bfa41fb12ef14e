#!/usr/bin/env bash
# Holds scripts/kubernetes against the schemas of the Kubernetes API and runs the pods' commands here: test-kubernetes.sh EMOSPAN
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=${1:?usage: test-kubernetes.sh EMOSPAN}
PYTHONPATH=$(scripts/python.sh requirements-kubernetes.txt)
export PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 "${GO:-go}" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-spm.gguf" "$work/tiny.gguf"
"${PYTHON:-python3}" -B scripts/check_kubernetes.py "$exe" "$work/tiny.gguf"
