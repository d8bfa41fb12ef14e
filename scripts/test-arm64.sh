#!/usr/bin/env bash
# The release for 64-bit ARM on CPUs that qemu-aarch64 emulates: test-arm64.sh
#
# Builds dist-arm64/ with Debian's cross compilers, and tags texts with a tiny model: each CPU must choose its variant, and give valid
# records that are those of x86-64 under greedy decoding, or differ where two tokens are nearly equal, which the output says. A bundle is
# made and run. Packages sandbox, bundle and models are tested there too. DEFAULT=1 tags one text with the default model as well, which takes
# minutes. Installs crossbuild-essential-arm64 and qemu-user where they are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
ok() { echo "ok   $1"; passed=$((passed + 1)); }
bad() { echo "FAIL $1"; failed=$((failed + 1)); }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
if ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-g++ >/dev/null; then
  echo "installing crossbuild-essential-arm64 and qemu-user" >&2
  { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends crossbuild-essential-arm64 qemu-user; } >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; echo "test-arm64: install Debian's packages crossbuild-essential-arm64 and qemu-user" >&2; exit 1; }
fi
ARCH=arm64 scripts/release.sh
llama/native/build.sh host
"$go" build -trimpath -o "$work/host" ./cmd/emospan
exe=$PWD/dist-arm64/emospan
if ! readelf -lW "$exe" | grep -q INTERP && readelf -h "$exe" | grep -q AArch64; then ok "is a static executable for AArch64"; else bad "is no static executable for AArch64"; fi
for object in $(sed -n 's/^#cgo LDFLAGS: //p' llama/native_all_arm64.go | tr ' ' '\n' | grep 'ggml-cpu-'); do
  name=$(basename "$object" .o)
  globals=$(aarch64-linux-gnu-nm -g --defined-only "$object" | cut -d' ' -f3)
  if [ "$globals" = "ggml_backend_cpu_reg_${name#ggml-cpu-}" ]; then ok "$name's registration is its only global"; else bad "$name has the globals $globals"; fi
done

tiny=$work/tiny.gguf
CGO_ENABLED=0 "$go" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-spm.gguf" "$tiny"
head -n 5 examples/sentences.txt >"$work/texts.txt"
"$work/host" tag -m "$tiny" "$work/texts.txt" -o "$work/host.jsonl" --threads 1 --parallel 1 --deterministic -q
value() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }

# emulate CPU WANT-VARIANT: tags the texts on the CPU; what devices says; the records beside those of x86-64.
emulate() {
  local cpu=$1 want=$2 out
  out=$work/${cpu//[^a-z0-9]/-}.jsonl
  if ! qemu-aarch64 -cpu "$cpu" "$exe" tag -m "$tiny" "$work/texts.txt" -o "$out" --threads 1 --parallel 1 --deterministic -q 2>"$work/err"; then
    bad "$cpu: $(tail -n 1 "$work/err")"
    return
  fi
  if [ "$(value "$out.manifest.json" cpu_variant)" = "$want" ] && "$work/host" validate -q "$out" >/dev/null; then
    ok "$cpu chooses $want, tags $(wc -l <"$out") valid records of 5; sandbox: $(value "$out.manifest.json" sandbox)"
  else
    bad "$cpu chooses $(value "$out.manifest.json" cpu_variant), want $want"
  fi
  if cmp -s "$out" "$work/host.jsonl"; then ok "$cpu gives the records of x86-64"; else echo "note $cpu: $(diff "$out" "$work/host.jsonl" | grep -c '^<' || true) of the records differ from those of x86-64"; fi
  if qemu-aarch64 -cpu "$cpu" "$exe" devices >"$work/devices" && grep -q "^variant \* $want " "$work/devices"; then ok "$cpu: $(grep '^variant \*' "$work/devices")"; else bad "$cpu: devices does not show $want"; fi
}
emulate cortex-a53 neon
emulate neoverse-n1 fp16
emulate max sve2
emulate max,sve-default-vector-length=16 sve2
# ggml has no products for vectors of 2048 bits: what takes them is not chosen.
emulate max,sve-default-vector-length=256 i8mm

# A bundle finds itself.
qemu-aarch64 "$exe" bundle -m "$tiny" -o "$work/bundle" >/dev/null
if qemu-aarch64 "$work/bundle" bundle --verify >/dev/null && qemu-aarch64 -cpu cortex-a53 "$work/bundle" tag "$work/texts.txt" -o "$work/b.jsonl" --threads 1 --parallel 1 --deterministic -q &&
  cmp -s "$work/b.jsonl" "$work/cortex-a53.jsonl"; then
  ok "a bundle tags as the plain file"
else
  bad "a bundle"
fi
for package in ./sandbox ./bundle ./models; do
  if CGO_ENABLED=0 GOARCH=arm64 "$go" test -count=1 -exec qemu-aarch64 "$package" >"$work/log" 2>&1; then ok "go test $package: $(tail -n 1 "$work/log")"; else tail -n 20 "$work/log"; bad "go test $package"; fi
done
if [ -n "${DEFAULT:-}" ]; then
  model=$("$work/host" models show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["path"])')
  echo "Thank you so much!" >"$work/one.txt"
  start=$SECONDS
  if qemu-aarch64 -cpu max "$exe" tag -m "$model" --prompt simple "$work/one.txt" -o "$work/default.jsonl" --threads 1 --parallel 1 -q && "$work/host" validate -q "$work/default.jsonl"; then
    ok "the default model tags a text in $((SECONDS - start)) s"
  else
    bad "the default model"
  fi
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
