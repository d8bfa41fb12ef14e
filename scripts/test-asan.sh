#!/usr/bin/env bash
# The C++ side under AddressSanitizer, with LeakSanitizer at each program's end: the tests of package llama, then tag with a tiny model made
# here in each form, and with the default model. A fault ends the program with a report of where, and this script with it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
export ASAN_OPTIONS=exitcode=99 # 1, the default, is also tag's where every text is rejected
llama/native/build.sh asan
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "asan: $* (${SECONDS} s)"; }

"$go" test -asan -short -count=1 -shuffle=on -timeout 40m ./llama
say "package llama"

"$go" build -asan -o "$work/emospan" ./cmd/emospan
"$go" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-bpe.gguf" "$work/tiny.gguf"
head -n 6 examples/sentences.txt >"$work/in.txt"
tag() {
  # A model of random weights may have every text rejected, which is exit code 1.
  "$work/emospan" tag --no-sandbox -q --force -o "$work/out.jsonl" "$@" "$work/in.txt" || [ $? = 1 ]
  say "tag $*"
}
tiny="$work/tiny.gguf"
tag -m "$tiny" --parallel 4
tag -m "$tiny" --decode aligned --limit 2
tag -m "$tiny" --decode schema --temperature 0.7 --limit 1
tag -m "$tiny" --deterministic --parallel 3
tag -m "$tiny" --split sentence --confidence model
# Its own prompt would take minutes.
cat >"$work/short.tmpl" <<'TMPL'
{{define "task"}}labels{{end}}{{define "system"}}Name the emotions.{{end}}{{define "user"}}{{.Text}}{{end}}
{{define "examples"}}{"text": "I love it", "answer": [" love"]}{{end}}
TMPL
tag --prompt simple --prompt-file "$work/short.tmpl"
tag --prompt simple --prompt-file "$work/short.tmpl" --calibrate --limit 1
