#!/usr/bin/env bash
# Loads GGUF files with faults as the program would, in processes of their own: test-gguf.sh COUNT SEED
# The tests of the check itself, its corpus included, come first. The last line says how many files passed and failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
"$go" test -count=1 ./models
said=$(mktemp)
trap 'rm -f "$said"' EXIT
status=0
"$go" test -count=1 -timeout 4h -run '^TestMutants$' -v ./cmd/emospan -mutants "${1:-10000}" -mutants.seed "${2:-1}" 2>&1 | tee "$said" || status=1
sed -n 's/.*; \([0-9]* passed, [0-9]* failed\)$/\1/p' "$said" | grep . || { echo "0 passed, 1 failed"; exit 1; }
exit $status
