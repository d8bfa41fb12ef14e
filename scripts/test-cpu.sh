#!/usr/bin/env bash
# Runs a release executable on CPUs that this machine is not: test-cpu.sh dist/emospan
#
# Under qemu-x86_64 it must choose the variant that the emulated CPU has and tag with it, refuse one that it lacks, and on a
# CPU below the lowest variant refuse in one line. It must run in an empty chroot. No object of llama.cpp outside the
# variants may hold a ymm or zmm register. AVX-512 cannot be emulated by Debian 12's qemu: that variant runs natively where
# the machine has it, and the output says so where it has not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=$(realpath "${1:?usage: test-cpu.sh EXECUTABLE}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
ok() { echo "ok   $1"; passed=$((passed + 1)); }
bad() { echo "FAIL $1"; failed=$((failed + 1)); }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
if ! command -v qemu-x86_64 >/dev/null; then
  echo "installing qemu-user" >&2
  { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends qemu-user; } >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; echo "test-cpu: qemu-x86_64 is needed: install Debian's package qemu-user" >&2; exit 1; }
fi

model=$("$exe" models show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["path"])')
# Under emulation the default model would take minutes for its prompt alone.
tiny=$work/tiny.gguf
CGO_ENABLED=0 go run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-bpe.gguf" "$tiny"
printf 'Thank you so much, that was kind!\n' >"$work/texts.txt"

# emulate CPU WANT-VARIANT: tags one text under the emulated CPU and looks at what the manifest says.
emulate() {
  local cpu=$1 want=$2 got
  rm -f "$work"/out.jsonl*
  if ! qemu-x86_64 -cpu "$cpu" "$exe" tag -m "$tiny" "$work/texts.txt" -o "$work/out.jsonl" --threads 2 -q 2>"$work/err"; then
    bad "$cpu: $(tail -n 1 "$work/err")"
    return
  fi
  got=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["cpu_variant"])' "$work/out.jsonl.manifest.json")
  if [ "$got" = "$want" ] && "$exe" validate -q "$work/out.jsonl" >/dev/null; then ok "$cpu chooses $got and tags a valid record"; else bad "$cpu chooses $got, want $want"; fi
}
emulate Nehalem sse42
emulate Haswell avx2

# refuse WHAT PATTERN COMMAND...: the command must fail with code 3 and one line that matches.
refuse() {
  local what=$1 pattern=$2 status=0
  shift 2
  "$@" >/dev/null 2>"$work/err" || status=$?
  if [ "$status" = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q "$pattern" "$work/err"; then ok "$what: $(cat "$work/err")"; else bad "$what: exit code $status, $(cat "$work/err")"; fi
}
refuse "a CPU below SSE4.2" "lacks.*SSE42" qemu-x86_64 -cpu core2duo "$exe" tag -m "$tiny" "$work/texts.txt"
refuse "avx2 forced on Nehalem" "lacks.*AVX2" env EMOSPAN_CPU=avx2 qemu-x86_64 -cpu Nehalem "$exe" tag -m "$tiny" "$work/texts.txt"

# The variants that run here, natively, give the same record.
rm -f "$work"/native-*
for variant in $("$exe" devices --json | python3 -c 'import json,sys; print(*[v["name"] for v in json.load(sys.stdin)["variants"] if v["usable"]])'); do
  if EMOSPAN_CPU=$variant "$exe" tag -m "$model" "$work/texts.txt" -o "$work/native-$variant" -q; then
    ok "$variant runs natively and tags a valid record"
  else
    bad "$variant natively"
  fi
done
"$exe" devices --json | python3 -c '
import json, sys
for v in json.load(sys.stdin)["variants"]:
    if not v["usable"]: print("note", v["name"], "was not run:", v["reason"])'

# An empty chroot: no libraries, no /proc, nothing but the program, the model and the texts.
mkdir -p "$work/root"
cp "$exe" "$work/root/emospan"
cp "$model" "$work/root/model.gguf"
cp "$work/texts.txt" "$work/root/"
if as_root chroot "$work/root" /emospan tag -m /model.gguf /texts.txt -o /out.jsonl -q 2>"$work/err" && "$exe" validate -q "$work/root/out.jsonl" >/dev/null; then
  ok "runs in an empty chroot"
else
  bad "empty chroot: $(tail -n 1 "$work/err")"
fi
if file -L "$exe" 2>/dev/null | grep -q 'statically linked' || ! readelf -lW "$exe" | grep -q INTERP; then ok "is statically linked"; else bad "has a dynamic loader"; fi

# The core may hold no AVX instruction; each variant above sse42 must hold some, else looking for them would prove nothing.
core=$(sed -n 's/.* \(\S*libllama\.a\) .*/\1/p' llama/native_all.go)
objdump -d --no-show-raw-insn "$core" >"$work/core.s"
wide=$(grep -cE '%[yz]mm[0-9]' "$work/core.s" || true)
if [ "$wide" = 0 ] && [ "$(wc -l <"$work/core.s")" -gt 100000 ]; then ok "the core's $(wc -l <"$work/core.s") lines of code hold no ymm or zmm register"; else bad "the core holds $wide instructions with ymm or zmm registers"; fi
for object in $(sed -n 's/^#cgo LDFLAGS: //p' llama/native_all.go | tr ' ' '\n' | grep 'ggml-cpu-'); do
  name=$(basename "$object" .o)
  objdump -d --no-show-raw-insn "$object" >"$work/variant.s"
  y=$(grep -cE '%ymm' "$work/variant.s" || true)
  z=$(grep -cE '%zmm' "$work/variant.s" || true)
  case $name in
    ggml-cpu-sse42) if [ "$y$z" = 00 ]; then ok "$name holds neither"; else bad "$name holds $y ymm and $z zmm"; fi ;;
    ggml-cpu-avx2) if [ "$y" -gt 0 ] && [ "$z" = 0 ]; then ok "$name: $y with ymm, none with zmm"; else bad "$name: $y ymm, $z zmm"; fi ;;
    *) if [ "$z" -gt 0 ]; then ok "$name: $z instructions with zmm"; else bad "$name holds no zmm"; fi ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
