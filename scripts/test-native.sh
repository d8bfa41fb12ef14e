#!/usr/bin/env bash
# Tests what llama/native/build.sh promises of its cache, in seconds: compilers are replaced by stand-ins that make tiny
# libraries slowly and count their calls. Two builds at once make each part once; an interrupted build leaves nothing that
# a later one would take for whole; a second checkout builds nothing; another flag or source makes another folder.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { if eval "$2"; then echo "ok   $1"; passed=$((passed + 1)); else echo "FAIL $1: $2"; failed=$((failed + 1)); fi; }

checkout() { mkdir -p "$1"; cp "$top/go.mod" "$top/go.sum" "$1/"; cp -r "$top/llama" "$1/"; rm -f "$1"/llama/native_*.go; }
checkout "$work/one"
checkout "$work/two"

tree=$work/tree
mkdir -p "$tree"/{include,src,cmake,ggml/include,models}
echo tokens >"$tree/models/ggml-vocab-llama-bpe.gguf"
touch "$tree/CMakeLists.txt" "$tree/include/llama.h" "$tree/ggml/include/ggml.h"

mkdir "$work/bin"
cat >"$work/bin/cmake" <<'STUB'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do case $1 in -B | --build) dir=$2 verb=$1; shift ;; esac; shift; done
mkdir -p "$dir"
[ "$verb" = --build ] || exit 0
echo core >>"$CALLS"
touch "$dir/half-made"
sleep "${SLOW:-0.5}"
echo 'int core(void) { return 1; }' | gcc -x c -c -o "$dir/core.o" - && ar rc "$dir/libcore.a" "$dir/core.o"
STUB
cat >"$work/bin/make" <<'STUB'
#!/usr/bin/env bash
echo variant >>"$CALLS"
sleep "${SLOW:-0.5}"
echo 'int ggml_backend_cpu_reg(void) { return 1; }' | gcc -x c -c -o "$2/cpu.o" - && ar rc "$2/libggml-cpu.a" "$2/cpu.o"
STUB
chmod +x "$work"/bin/*

export GPU= CALLS=$work/calls EMOSPAN_CACHE=$work/cache LLAMA_CPP_DIR=$tree EMOSPAN_CPU=sse42
build() { PATH="$work/bin:$PATH" "$1/llama/native/build.sh" host 2>>"$work/log"; }
calls() { grep -c "^$1$" "$CALLS" || true; }
made() { find "$EMOSPAN_CACHE" -mindepth 2 -maxdepth 2 -path "*/$1/*" | wc -l; }

# The whole process group is killed, as a closed terminal or the out-of-memory killer would, in the middle of the core.
: >"$CALLS"
SLOW=30 setsid bash -c "PATH='$work/bin:$PATH' '$work/one/llama/native/build.sh' host" 2>>"$work/log" &
until [ -s "$CALLS" ]; do sleep 0.05; done
kill -KILL -- "-$!"
wait $! 2>/dev/null || true
check "a killed build leaves no core and no Go file" '[ "$(made core)" = 0 ] && [ ! -e "$work/one/llama/native_host.go" ]'

: >"$CALLS"
build "$work/one" & first=$!
build "$work/two" & second=$!
ok=yes
wait $first || ok=no
wait $second || ok=no
check "two builds at once both succeed" '[ $ok = yes ] && [ -s "$work/one/llama/native_host.go" ] && [ -s "$work/two/llama/native_host.go" ]'
check "and make the core and the variant once" '[ "$(calls core)" = 1 ] && [ "$(calls variant)" = 1 ]'
vocabulary() { gzip -dc "$work/$1/models/vocabulary/llama3.gguf.gz"; }
check "both have the vocabulary" '[ "$(vocabulary one)" = tokens ] && [ "$(vocabulary two)" = tokens ]'
check "nothing half-made is left" '[ -z "$(find "$work"/*/models -name ".*")" ] && [ -z "$(find "$EMOSPAN_CACHE" -name half-made)" ] && [ -z "$(ls -A "$EMOSPAN_CACHE/tmp")" ]'
library=$(sed -n 's/.* \(\S*libllama\.a\) .*/\1/p' "$work/one/llama/native_host.go")
check "the Go file names a whole library" '[ -s "$library" ] && nm "$library" | grep -q " T core"'
object=$(sed -n 's/.* \(\S*ggml-cpu-sse42\.o\) .*/\1/p' "$work/one/llama/native_host.go")
check "the variant's registration is its only global" '[ "$(nm -g --defined-only "$object" | cut -d" " -f3)" = ggml_backend_cpu_reg_sse42 ]'

: >"$CALLS"
rm "$work/two/llama/native_host.go"
build "$work/two"
check "a second checkout finds it all" '[ ! -s "$CALLS" ]'
written() { stat -c %Y.%i "$work/two/llama/native_host.go" "$work/two/models/vocabulary/llama3.gguf.gz"; }
before=$(written)
build "$work/two"
check "an unchanged build does not touch the Go file, nor the vocabulary" '[ "$(written)" = "$before" ]'
echo more >>"$tree/models/ggml-vocab-llama-bpe.gguf"
build "$work/two"
check "another vocabulary replaces it" 'vocabulary two | grep -q more && [ "$(made vocabulary)" = 2 ]'
rm "$tree/models/ggml-vocab-llama-bpe.gguf"
build "$work/two"
check "a tree without one leaves none" '[ ! -e "$work/two/models/vocabulary/llama3.gguf.gz" ] && tail -n 1 "$work/log" | grep -q "synthetic models cannot be made"'
CFLAGS=-O1 build "$work/one"
check "another flag makes another library" '[ "$(calls core)" = 1 ] && [ "$(made core)" = 2 ]'
echo "int x;" >"$tree/src/new.cpp"
build "$work/one"
check "another source too" '[ "$(calls core)" = 2 ] && [ "$(made core)" = 3 ]'

status=0
LLAMA_CPP_DIR=$work/none build "$work/one" || status=$?
check "a missing tree is one clear line" '[ $status = 1 ] && tail -n 1 "$work/log" | grep -q "LLAMA_CPP_DIR=.*is not a folder"'
status=0
EMOSPAN_CACHE="$work/a cache" build "$work/one" || status=$?
check "a cache with a space in its name is refused" '[ $status = 1 ] && tail -n 1 "$work/log" | grep -q "EMOSPAN_CACHE is .*no white space"'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
