#!/usr/bin/env bash
# The executable with llama.cpp's Vulkan back end, on Mesa's device in software (llvmpipe), which is all that a machine without a GPU has;
# docs/devices.md says what is promised. Where hardware is asked for, scripts/vulkanfault.c stands before the loader and says that
# llvmpipe is some. Takes root for a chroot, and to install what is missing: the compiler of shaders, headers, Mesa.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { if eval "$2"; then echo "ok   $1"; passed=$((passed + 1)); else echo "FAIL $1: $2"; failed=$((failed + 1)); fi; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
icd=/usr/share/vulkan/icd.d
packages="glslc libvulkan-dev spirv-headers mesa-vulkan-drivers"
# shellcheck disable=SC2086
if ! dpkg -s $packages >/dev/null 2>&1; then
  echo "test-gpu: installing Debian's $packages" >&2
  { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends $packages; } >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; echo "test-gpu: install Debian's packages $packages" >&2; exit 1; }
fi
GPU=vulkan llama/native/build.sh host
exe=$work/emospan
"$go" build -trimpath -tags vulkan -o "$exe" ./cmd/emospan
cp "$exe" "$work/exe" # for the chroot
tiny=$work/tiny.gguf
CGO_ENABLED=0 "$go" run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-bpe.gguf" "$tiny" F32
head -n 12 examples/sentences.txt >"$work/texts.txt"
head -n 2 examples/sentences.txt >"$work/few.txt"
# llvmpipe takes minutes for the default model's own prompt.
briefly="tag -q --prompt simple --prompt-file scripts/labels.tmpl $work/few.txt"
json() { python3 -c 'import json,sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[int(k)] if isinstance(v, list) else v.get(k)
print(v)' "$1" "$2"; }
unset GGML_VK_VISIBLE_DEVICES VK_ICD_FILENAMES VK_DRIVER_FILES
export VK_ICD_FILENAMES=$icd/lvp_icd.x86_64.json MESA_SHADER_CACHE_DIR=$work/shaders
devices() { "$exe" devices --json "$@" >"$work/devices.json" 2>"$work/err"; }
why() { json "$work/devices.json" gpu; }
says() { why | grep -q "$1" || { why; return 1; }; }
# refuses REASON: --device gpu is an error of one line with this reason.
refuses() {
  local status=0
  "$exe" tag -m "$tiny" --device gpu "$work/texts.txt" -o "$work/refused.jsonl" 2>"$work/err" || status=$?
  [ $status = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q "^emospan: --device gpu: .*$1" "$work/err" && [ ! -e "$work/refused.jsonl" ] || { cat "$work/err"; return 1; }
}

tag() { local status=0; "$@" 2>"$work/err" || status=$?; [ $status -le 1 ] || { cat "$work/err"; return 1; }; } # 1: every record rejected

# What it needs.
ldd "$exe" | sed 's/ (0x.*//; s/ => .*//; s/^[[:space:]]*//' | sort >"$work/ldd"
echo "     linked against: $(tr '\n' ' ' <"$work/ldd")"
check "glibc is all that it is linked against" '! grep -vE "^(linux-vdso|libc|libm|libpthread|libdl|librt|libresolv)\.so|ld-linux" "$work/ldd"'
jail=$work/jail
mkdir -p "$jail/tmp"
ldd "$exe" | grep -o '/[^ ]*' | while read -r lib; do install -D "$lib" "$jail$lib"; done
cp "$exe" "$jail/emospan"
cp "$tiny" "$jail/tiny.gguf"
cp "$work/texts.txt" "$jail/in.txt"
jailed() { env -i "$(command -v chroot)" "$jail" /emospan "$@"; }
check "without a loader: devices say so" 'jailed devices --json >"$work/devices.json" && says "none used: no Vulkan loader: libvulkan.so.1: cannot open"'
check "and the CPU is used" 'tag jailed tag -q --no-sandbox -m /tiny.gguf /in.txt -o /tmp/out.jsonl && [ "$(json "$jail/tmp/out.jsonl.manifest.json" device)" = cpu ]'
check "and --device gpu is an error" '! jailed tag -m /tiny.gguf /in.txt --device gpu 2>"$work/err" && grep -q "no Vulkan loader" "$work/err"'

# Why the CPU is used.
check "without a driver: devices say so" 'VK_ICD_FILENAMES=$work/none.json devices && says "none used: no Vulkan driver is installed"'
check "and --device gpu is an error" 'VK_ICD_FILENAMES=$work/none.json refuses "no Vulkan driver is installed"'
check "a device in software is explained" 'devices && says "llvmpipe.*: it computes in software" && [ "$(json "$work/devices.json" gpus.0.type)" = software ] && [ "$(json "$work/devices.json" gpus.0.chosen)" = False ]'
check "and not used by --device gpu alone" 'refuses "llvmpipe.*GGML_VK_VISIBLE_DEVICES=0 and --device gpu use it"'
check "devices --device gpu fails as well" '! devices --device gpu && grep -q "^emospan: --device gpu: llvmpipe" "$work/err"'
check "a number that is none is refused" '! GGML_VK_VISIBLE_DEVICES=7 devices --device gpu && grep -q "GGML_VK_VISIBLE_DEVICES leaves it out" "$work/err"'

# The same records. llvmpipe is asked for by its number.
software() { GGML_VK_VISIBLE_DEVICES=0 "$exe" "$@" --device gpu; }
for form in compact aligned; do # in schema random weights come to no record
  tag "$exe" tag -q -m "$tiny" --decode $form --device cpu "$work/texts.txt" -o "$work/cpu.$form.jsonl" --force || true
  tag software tag -q -m "$tiny" --decode $form "$work/texts.txt" -o "$work/gpu.$form.jsonl" --force || true
  check "the tiny model's records are the CPU's: $form, $(cat "$work/cpu.$form.jsonl" | wc -l) records and $(cat "$work/cpu.$form.jsonl.rejects.jsonl" 2>/dev/null | wc -l) rejects" \
    'cmp "$work/cpu.$form.jsonl" "$work/gpu.$form.jsonl" && cmp "$work/cpu.$form.jsonl.rejects.jsonl" "$work/gpu.$form.jsonl.rejects.jsonl"'
done
manifest=$work/gpu.compact.jsonl.manifest.json
check "the manifest names device, layers and that there was no sandbox: $(json "$manifest" device), $(json "$manifest" gpu_layers), $(json "$manifest" sandbox)" \
  '[[ $(json "$manifest" device) = "Vulkan llvmpipe"* ]] && [ "$(json "$manifest" gpu_layers)" -ge 2 ] && [[ $(json "$manifest" sandbox) = off* ]]'
check "on the CPU it is as ever" '[ "$(json "$work/cpu.compact.jsonl.manifest.json" device)" = cpu ] && [ "$(json "$work/cpu.compact.jsonl.manifest.json" gpu_layers)" = None ] && [[ $(json "$work/cpu.compact.jsonl.manifest.json" sandbox) != off* ]]'
tag "$exe" $briefly --device cpu -o "$work/cpu.jsonl" || true
check "the default model runs" 'tag software $briefly -o "$work/gpu.jsonl" && [ "$(json "$work/gpu.jsonl.manifest.json" accepted)" = 2 ]'
same=$(python3 -c 'import sys; a, b = (set(open(f)) for f in sys.argv[1:]); print(len(a & b))' "$work/cpu.jsonl" "$work/gpu.jsonl")
echo "     the default model: $same of $(wc -l <"$work/cpu.jsonl") records are the CPU's; $(json "$work/gpu.jsonl.manifest.json" gpu_layers) layers"

# A loader that says llvmpipe were a card.
mkdir "$work/fault"
gcc -O1 -shared -fPIC -o "$work/fault/libvulkan.so.1" scripts/vulkanfault.c -ldl
VULKAN_REAL=$(ldconfig -p | awk '$1 == "libvulkan.so.1" { print $NF; exit }')
export VULKAN_REAL
card() { LD_LIBRARY_PATH=$work/fault FAKE_TYPE=2 "$@"; }
check "a card is chosen without being asked for" 'card devices && says "^Vulkan llvmpipe" && [ "$(json "$work/devices.json" gpus.0.chosen)" = True ]'
check "tag uses it" 'card tag "$exe" tag -q -m "$tiny" "$work/texts.txt" -o "$work/card.jsonl" && cmp "$work/card.jsonl" "$work/cpu.compact.jsonl" && [[ $(json "$work/card.jsonl.manifest.json" device) = Vulkan* ]]'
check "--deterministic stays on the CPU" 'card tag "$exe" tag -q -m "$tiny" --deterministic "$work/texts.txt" -o "$work/det.jsonl" && [ "$(json "$work/det.jsonl.manifest.json" device)" = cpu ] && [[ $(json "$work/det.jsonl.manifest.json" sandbox) != off* ]]'
check "too little memory for anything is said" 'FAKE_MEMORY=200000000 card devices && says "too little memory: 190.7 MiB free"'
part=$((513 << 20))
check "of the default model a part is offloaded where the memory is small" \
  'FAKE_MEMORY=$part card tag "$exe" $briefly --parallel 2 -o "$work/part.jsonl" && n=$(json "$work/part.jsonl.manifest.json" gpu_layers) && [ "$n" -ge 2 ] && [ "$n" -lt 31 ]'
echo "     with 513 MiB: $(json "$work/part.jsonl.manifest.json" gpu_layers) layers"
check "devices -m tells" 'FAKE_MEMORY=$part card devices -m smollm2-135m && n=$(json "$work/devices.json" model.gpu_layers) && [ "$n" -lt 31 ]'
check "what does not fit at all runs on the CPU, in its sandbox" \
  'FAKE_MEMORY=$((513 << 20)) card tag "$exe" $briefly --limit 1 --sizes batch=2048 -o "$work/none.jsonl" && [ "$(json "$work/none.jsonl.manifest.json" device)" = cpu ] && [[ $(json "$work/none.jsonl.manifest.json" sandbox) != off* ]]'
check "and is an error for --device gpu" '! FAKE_MEMORY=$((513 << 20)) card "$exe" $briefly --limit 1 --sizes batch=2048 --device gpu -o "$work/none2.jsonl" 2>"$work/err" && grep -q "too little memory for a layer" "$work/err" && [ "$(wc -l <"$work/err")" = 1 ]'

# A card that is lost behind its first record. What was written is whole, and --resume goes on without it.
cat "$work/texts.txt" "$work/texts.txt" "$work/texts.txt" "$work/texts.txt" >"$work/many.txt"
status=0
LOSE_WHEN=$work/lost.jsonl card "$exe" tag -q --flush -m "$tiny" --parallel 2 "$work/many.txt" -o "$work/lost.jsonl" 2>"$work/err" || status=$?
sed 's/^/     /' "$work/err"
n=$(cat "$work/lost.jsonl" 2>/dev/null | wc -l)
check "a lost device ends the run in one line that names --resume, with exit code 3" '[ $status = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q "GPU failed or was lost.*--resume" "$work/err"'
check "$n records are whole" '[ "$n" -ge 1 ] && [ "$n" -lt 48 ] && "$exe" validate -q "$work/lost.jsonl"'
check "--resume goes on with the CPU" '"$exe" tag -q -m "$tiny" --parallel 2 --device cpu --resume "$work/many.txt" -o "$work/lost.jsonl" && [ $(($(wc -l <"$work/lost.jsonl") + $(wc -l <"$work/lost.jsonl.rejects.jsonl"))) = 48 ] && "$exe" validate -q "$work/lost.jsonl"'
check "the manifest has both parts" '[[ $(json "$work/lost.jsonl.manifest.json" parts.0.device) = Vulkan* ]] && [ "$(json "$work/lost.jsonl.manifest.json" parts.1.device)" = cpu ]'
check "lost while loading, it is left out" 'LOSE_WHEN=$exe card tag "$exe" tag -m "$tiny" -q "$work/texts.txt" -o "$work/atonce.jsonl"; grep -q "the CPU is used\|--device cpu" "$work/err"'
check "bench measures it" 'card "$exe" bench -m "$tiny" --decode compact --parallel 2 --seconds 1 --repeats 1 -q --format json -o "$work/bench.json" && [ "$(json "$work/bench.json" gpu_layers)" -ge 2 ]'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
