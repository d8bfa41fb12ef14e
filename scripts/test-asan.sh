#!/usr/bin/env bash
# The C++ side under AddressSanitizer, with LeakSanitizer at each program's end: the tests of package llama, then tag with a tiny model made
# here, and with the default model. A fault ends the program with a report of where, and this script with it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
export CGO_CXXFLAGS="-g -O1 -fsanitize=address -fno-omit-frame-pointer" # go -asan has it for C alone
export ASAN_OPTIONS=exitcode=99 # 1, the default, is also tag's where every text is rejected
llama/native/build.sh asan
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "asan: $* (${SECONDS} s)"; }

"$go" test -asan -short -count=1 -shuffle=on -timeout 40m ./llama
say "package llama"

"$go" build -asan -o "$work/emospan" ./cmd/emospan
"$go" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-bpe.gguf" "$work/tiny.gguf"
# Prompts and texts are short, and schema is left out: at -O1 they would take minutes, and to llama.cpp all forms are the same calls.
head -n 6 examples/sentences.txt >"$work/in.txt"
echo "So glad." >"$work/short.txt"
cat >"$work/spans.tmpl" <<'TMPL'
{{define "system"}}Quote the words that carry an emotion and name it.{{end}}{{define "user"}}{{.Text}}{{end}}
{{define "examples"}}{"text": "I love it", "answer": ["I love", " love high 95 target it"]}{{end}}
TMPL
tag() {
  # A model of random weights may have every text rejected, which is exit code 1.
  "$work/emospan" tag --no-sandbox -q --force -o "$work/out.jsonl" "$@" || [ $? = 1 ]
  say "tag $*"
}
tiny=(-m "$work/tiny.gguf" --prompt-file "$work/spans.tmpl")
tag "${tiny[@]}" --parallel 4 "$work/in.txt"
tag "${tiny[@]}" --decode aligned --limit 2 "$work/in.txt"
tag "${tiny[@]}" --deterministic --parallel 3 "$work/in.txt"
tag "${tiny[@]}" --split sentence --confidence model "$work/in.txt"
tag --prompt simple --prompt-file scripts/labels.tmpl --limit 2 "$work/in.txt"
tag --prompt simple --prompt-file scripts/labels.tmpl --calibrate auto "$work/short.txt"
