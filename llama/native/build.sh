#!/usr/bin/env bash
# Builds the static llama.cpp that package llama links, into a cache outside the checkout.
#
#   build.sh host    the core and the CPU variant that suits this machine; writes llama/native_host.go
#   build.sh all     the core and every variant the compiler can make;     writes llama/native_all.go (build tag "release")
#   build.sh asan    as host, with AddressSanitizer and asserts, at -O1;   writes llama/native_asan.go (build tag "asan", which go -asan sets)
#   build.sh source  the llama.cpp tree alone; prints its path
#
# Both builds also put the Llama 3 vocabulary of the tree, compressed, where package models embeds it.
#
# What comes out lies under $EMOSPAN_CACHE (default: the user's cache folder), each artefact in a folder named by a hash of
# its source, flags and compiler, so a second checkout finds it there. An artefact is built beside its final place under a
# lock and moved in whole: two builds at once take turns, and an interrupted one leaves nothing that a later one would use.
#
#   LLAMA_CPP_DIR   a llama.cpp tree to use instead of the pinned one (no index needed)
#   PYTHON          the python3 whose pip fetches the pinned one
#   JOBS            parallel compiler jobs (default: all cores)
#   GPU             vulkan, cuda or metal: llama.cpp's back end for it is built too, and the Go file (native_host_vulkan.go, …)
#                   has that build tag. The rest is the same as without. Only Vulkan is tested (scripts/test-gpu.sh).
#   GPU_CMAKE       further options for that back end's cmake, as -DCMAKE_CUDA_ARCHITECTURES=90
#   ARCH            build for amd64 or arm64 (default: this machine's); for the other one with "all" alone, which then writes
#                   llama/native_all_$ARCH.go, by the cross compilers of Debian's package crossbuild-essential-arm64
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(dirname "$here")
cache=${EMOSPAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/emospan}
python=${PYTHON:-python3}
jobs=${JOBS:-$(nproc)}
beat=${EMOSPAN_BEAT:-30} # seconds between lines that say what is waited for

say() { echo "native: $*" >&2; }
die() { echo "native: $*" >&2; exit 1; }

case $(uname -m) in x86_64) host=amd64 ;; aarch64) host=arm64 ;; *) host=$(uname -m) ;; esac
arch=${ARCH:-$host}

# Lowest first. Each needs what llama/variant.go asks of the CPU before it is chosen; the lists are compared by a test.
amd64_variants=(sse42 avx2 avx512 avx512vnni avx512bf16 amx)
arm64_variants=(neon dotprod fp16 i8mm sve sve2)
case $arch in
  amd64) variants=("${amd64_variants[@]}") triplet=x86_64-linux-gnu processor=x86_64 ;;
  arm64) variants=("${arm64_variants[@]}") triplet=aarch64-linux-gnu processor=aarch64 ;;
  *) die "ARCH=$arch: emospan has CPU variants for amd64 and arm64" ;;
esac
variant_flags() {
  # ggml switches everything up to AVX2 on of itself.
  local sse42="-DGGML_SSE42=ON -DGGML_AVX=OFF -DGGML_AVX2=OFF -DGGML_BMI2=OFF -DGGML_FMA=OFF -DGGML_F16C=OFF"
  local avx2="-DGGML_SSE42=ON -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_BMI2=ON -DGGML_FMA=ON -DGGML_F16C=ON"
  local avx512="$avx2 -DGGML_AVX512=ON"
  local vnni="$avx512 -DGGML_AVX512_VBMI=ON -DGGML_AVX512_VNNI=ON"
  local bf16="$vnni -DGGML_AVX512_BF16=ON"
  case $1 in
    sse42) echo "$sse42" ;;
    avx2) echo "$avx2" ;;
    avx512) echo "$avx512" ;;
    avx512vnni) echo "$vnni" ;;
    avx512bf16) echo "$bf16" ;;
    amx) echo "$bf16 -DGGML_AMX_TILE=ON -DGGML_AMX_INT8=ON -DGGML_AMX_BF16=ON" ;;
    neon) echo "-DGGML_CPU_ARM_ARCH=armv8-a" ;;
    dotprod) echo "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod" ;;
    fp16) echo "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16" ;;
    i8mm) echo "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16+i8mm" ;;
    sve) echo "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16+i8mm+sve" ;;
    sve2) echo "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16+i8mm+sve+sve2" ;;
  esac
}
# The switch that tells whether the compiler knows the newest instructions of a variant.
variant_probe() {
  case $1 in
    avx512bf16) echo "-mavx512bf16" ;;
    amx) echo "-mamx-tile -mamx-int8 -mamx-bf16" ;;
    i8mm | sve | sve2) variant_flags "$1" | sed 's/-DGGML_CPU_ARM_ARCH=/-march=/' ;;
    *) echo "" ;;
  esac
}

# For the other architecture the tools have its name before theirs. The recipe below calls them by their own.
cross=
if [ "$arch" != "$host" ]; then
  cross="-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=$processor"
  export CC=${CC:-$triplet-gcc} CXX=${CXX:-$triplet-g++}
  for tool in "$CC" "$CXX" "$triplet-objcopy"; do
    command -v "$tool" >/dev/null || die "$tool is not installed; Debian has it in the package crossbuild-essential-$arch"
  done
  for tool in ar ranlib ld objcopy; do eval "$tool() { $triplet-$tool \"\$@\"; }"; done
fi
for tool in cmake make "${CC:-gcc}" "${CXX:-g++}" ar ld objcopy flock gzip sha256sum; do
  command -v "$tool" >/dev/null || die "$tool is not installed; install gcc, g++, binutils, cmake, make and util-linux"
done

# Compiler flags and the archiver's script could not hold them.
no_spaces() { case $2 in *[[:space:]]*) die "$1 is \"$2\": it must hold no white space; set $1 to another folder" ;; esac; }
no_spaces EMOSPAN_CACHE "$cache"

# once KEY COMMAND...: runs COMMAND with $out set to an empty folder, unless $cache/KEY is there already.
once() {
  local key=$1; shift
  local dest=$cache/$key log=$cache/log/${key//\//-}.log
  [ -d "$dest" ] && return 0
  mkdir -p "$cache/lock" "$cache/tmp" "$cache/log" "$(dirname "$dest")"
  (
    until flock -w "$beat" 9; do say "waiting for another build of $key"; done
    [ -d "$dest" ] && exit 0
    out=$cache/tmp/${key//\//-}
    rm -rf "$out"; mkdir "$out"
    trap 'rm -rf "$out"' EXIT
    trap 'exit 130' INT TERM HUP
    # Not "|| …": that would switch off errexit inside.
    set +e
    # The loop ends with descriptor 8, and so however this shell does.
    exec 8> >(exec 9>&-; SECONDS=0; while read -rt "$beat"; [ $? -gt 128 ]; do say "$key: $SECONDS s so far; its log is $log"; done)
    (set -e; "$@") >"$log" 2>&1 8>&- 9>&-
    status=$?
    exec 8>&-
    set -e
    [ $status = 0 ] || { tail -n 25 "$log" >&2; die "$key failed; the whole log is $log"; }
    mv -T "$out" "$dest"
  ) 9>"$cache/lock/${key//\//-}"
}

fetch_source() {
  "$python" -m pip download --disable-pip-version-check --progress-bar off --no-deps --no-binary :all: \
    --require-hashes -r "$here/requirements.txt" -d "$out/sdist" ||
    { echo "pip could not fetch the pinned llama.cpp; without a package index set LLAMA_CPP_DIR to a llama.cpp tree"; return 1; }
  tar -xzf "$out"/sdist/*.tar.gz -C "$out" --strip-components=3 --wildcards '*/vendor/llama.cpp'
  rm -rf "$out/sdist"
}

build_core() {
  cmake -S "$src" -B "$out/b" $common -DGGML_CPU=OFF -DLLAMA_BUILD_COMMIT="$revision" -DLLAMA_BUILD_NUMBER=0
  cmake --build "$out/b" -j "$jobs" --target llama ggml
  # One archive: the linker then resolves references between the parts in any order.
  { echo "create $out/libllama.a"; find "$out/b" -name '*.a' | sort | sed 's/^/addlib /'; printf 'save\nend\n'; } | ar -M
  ranlib -D "$out/libllama.a"
  mkdir "$out/include"
  cp "$src"/include/*.h "$src"/ggml/include/*.h "$out/include/"
  rm -rf "$out/b"
}

# Each variant keeps its own copies of inline C++ functions, so that none compiled for AVX-512 stands in for a baseline one;
# -fno-gnu-unique because unique symbols stay global even so. "/fast" leaves out ggml-base, which the core holds.
build_variant() {
  local name=$1
  [ "$name" != amx ] || CXXFLAGS="$CXXFLAGS -include $here/amx-tile-config.h"
  cmake -S "$src" -B "$out/b" $common -DGGML_CPU=ON $openmp $(variant_flags "$name")
  make -C "$out/b" -j "$jobs" ggml-cpu/fast
  ld -r --force-group-allocation --whole-archive "$(find "$out/b" -name libggml-cpu.a)" -o "$out/cpu.o"
  objcopy --redefine-sym ggml_backend_cpu_reg="ggml_backend_cpu_reg_$name" "$out/cpu.o"
  objcopy --keep-global-symbol="ggml_backend_cpu_reg_$name" --strip-debug "$out/cpu.o" "$out/ggml-cpu-$name.o"
  rm -rf "$out/b" "$out/cpu.o"
}

# The back end alone, whose one entry the shim calls where a device is asked for: the core does not know of it and stays the same.
build_gpu() {
  [ "$gpu" != vulkan ] || CXXFLAGS="$CXXFLAGS -include $here/vulkan-before-272.h"
  cmake -S "$src" -B "$out/b" $common -DGGML_CPU=OFF "-DGGML_${gpu^^}=ON" ${GPU_CMAKE:-}
  cmake --build "$out/b" -j "$jobs" --target "ggml-$gpu"
  ld -r --whole-archive "$(find "$out/b" -name "libggml-$gpu.a")" -o "$out/ggml-$gpu.o" # the shim's weak reference takes nothing from an archive
  rm -rf "$out/b"
}

# What the back end needs beside itself, for the linker. Vulkan's loader is opened at run time (llama/vulkan.c); libstdc++ and libgcc
# go in, so that the executable needs glibc alone.
gpu_libraries() {
  case $gpu in
    vulkan) echo "-l:libstdc++.a -static-libstdc++ -static-libgcc -ldl" ;;
    cuda) echo "-lcudart_static -lcublas -lcublasLt -lcuda -lculibos -lstdc++ -ldl -lrt" ;;
    metal) echo "-framework Foundation -framework Metal -framework MetalKit -lstdc++" ;;
  esac
}

pack_vocabulary() { gzip -9 -n <"$vocabulary" >"$out/llama3.gguf.gz"; }

gpu=${GPU:-}
case $gpu in
  "" | cuda | metal) ;;
  vulkan)
    if ! command -v glslc >/dev/null ||
      ! printf '#include <%s>\n' vulkan/vulkan.hpp spirv/unified1/spirv.hpp | ${CXX:-g++} -E -x c++ - >/dev/null 2>&1; then
      die "GPU=vulkan takes Vulkan's headers and a shader compiler: on Debian and Ubuntu run: apt-get install glslc libvulkan-dev spirv-headers"
    fi ;;
  *) die "GPU=$gpu: it must be vulkan, cuda or metal" ;;
esac

# Source: the pinned sdist, verified by pip against its hash, or a tree of the user's.
if [ -n "${LLAMA_CPP_DIR:-}" ]; then
  src=$(cd "$LLAMA_CPP_DIR" 2>/dev/null && pwd) || die "LLAMA_CPP_DIR=$LLAMA_CPP_DIR is not a folder"
  no_spaces LLAMA_CPP_DIR "$src"
  [ -f "$src/include/llama.h" ] || die "LLAMA_CPP_DIR=$LLAMA_CPP_DIR holds no include/llama.h: it must be the root of a llama.cpp tree"
  revision=local
  source_id=$(cd "$src" && find CMakeLists.txt cmake ggml include src -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
else
  revision=$(sed -n 's/.*llama\.cpp@\([0-9a-f]*\).*/\1/p' "$here/requirements.txt")
  source_id=$(sed -n 's/.*sha256:\([0-9a-f]\{16\}\).*/\1/p' "$here/requirements.txt")
  [ -d "$cache/source/$source_id" ] || say "fetching llama.cpp $revision (about a minute)"
  once "source/$source_id" fetch_source
  src=$cache/source/$source_id
fi

set_name=${1:-host}
if [ "$set_name" = source ]; then echo "$src"; exit; fi

flags="-ffile-prefix-map=$src=llama.cpp -fno-gnu-unique"
common="-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF
  -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
  -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF${cross:+ $cross}"
if [ "$set_name" = asan ]; then
  common="$common -DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1" # without -DNDEBUG
  CFLAGS="${CFLAGS:-} -fsanitize=address -fno-omit-frame-pointer" CXXFLAGS="${CXXFLAGS:-} -fsanitize=address -fno-omit-frame-pointer"
fi
toolchain="$(${CC:-gcc} --version | head -n1) $(${CXX:-g++} --version | head -n1) ${CFLAGS:-} ${CXXFLAGS:-}"
export CFLAGS="${CFLAGS:-} $flags" CXXFLAGS="${CXXFLAGS:-} ${flags}"
# llama/team.cpp stands in for GCC's OpenMP library. Another compiler's code calls other functions; ggml then waits by itself, which
# on a busy machine costs most of the speed.
if echo 'void f(void) {
#pragma omp parallel
  f(); }' | ${CC:-gcc} -fopenmp -S -x c -o - - 2>/dev/null | grep -q GOMP_parallel; then
  openmp=-DGGML_OPENMP=ON
else
  openmp=-DGGML_OPENMP=OFF
  say "this compiler's OpenMP is not GCC's: beside other programs the threads will wait for each other by spinning"
fi
key() { printf '%s\n' "$source_id" "$revision" "$toolchain" "$common" "$(declare -f "$1")" "${2:+$openmp }$(variant_flags "${2:-}")" "$([ "${2:-}" != amx ] || cat "$here/amx-tile-config.h")" | sha256sum | cut -c1-16; }

can_make() { echo 'int main(void){return 0;}' | ${CC:-gcc} $(variant_probe "$1") -x c -c -o /dev/null - 2>/dev/null; }
case $set_name in
  all)
    set=()
    for v in "${variants[@]}"; do if can_make "$v"; then set+=("$v"); else say "this compiler cannot make the $v variant; left out"; fi; done
    tag="//go:build cgo && release && $arch" go_file=$package/native_all${cross:+_$arch}.go ;;
  host|asan)
    [ -z "$cross" ] || die "ARCH=$arch is not this machine's: only \"all\" can be built for it"
    # The same choice that the program makes at start-up, by the same code, so that the one variant linked is the one wanted.
    set=("$(cd "$package" && CGO_ENABLED=0 go run ./native/hostvariant)")
    can_make "${set[0]}" || die "this compiler cannot make the ${set[0]} variant of this CPU; set EMOSPAN_CPU=avx2 to build that one"
    tag="//go:build cgo && !release && !asan" go_file=$package/native_host.go
    [ "$set_name" = host ] || tag="//go:build cgo && asan" go_file=$package/native_asan.go ;;
  *) die "unknown set \"$set_name\": host, all, asan or source" ;;
esac

for other in vulkan cuda metal; do [ "$gpu" = "$other" ] || tag="$tag && !$other"; done
if [ -n "$gpu" ]; then tag="$tag && $gpu" go_file=${go_file%.go}_$gpu.go; fi

core=core/$(key build_core)
[ -d "$cache/$core" ] || say "building the llama.cpp core (a few minutes, once for this machine)"
once "$core" build_core
objects=()
for v in "${set[@]}"; do
  dir=cpu/$v-$(key build_variant "$v")
  [ -d "$cache/$dir" ] || say "building the $v CPU variant (about a minute)"
  once "$dir" build_variant "$v"
  objects+=("$cache/$dir/ggml-cpu-$v.o")
done

libraries="-lstdc++" define="" name=""
if [ -n "$gpu" ]; then
  dir=gpu/$gpu-$({ key build_gpu; echo "${GPU_CMAKE:-}"; if [ "$gpu" = vulkan ]; then
    glslc --version; echo VK_HEADER_VERSION_COMPLETE | ${CXX:-g++} -E -include vulkan/vulkan_core.h -x c++ - | tail -n 1; cat "$here/vulkan-before-272.h"; fi; } |
    sha256sum | cut -c1-16)
  [ -d "$cache/$dir" ] || say "building llama.cpp's $gpu back end (some minutes, once for this machine)"
  once "$dir" build_gpu
  objects+=("$cache/$dir/ggml-$gpu.o")
  libraries=$(gpu_libraries)
  case $gpu in vulkan) name=Vulkan ;; cuda) name=CUDA ;; metal) name=Metal ;; esac
  define=" -DEMOSPAN_GPU=ggml_backend_${gpu/vulkan/vk}_reg"
fi

# The vocabulary is part of the executable, so that it can make a model to measure with where there is none. The name of the
# file in the making begins with a dot: the go command, which another build may be running, leaves such files out.
vocabulary=$src/models/ggml-vocab-llama-bpe.gguf
embedded=$package/../models/vocabulary
mkdir -p "$embedded"
if [ -f "$vocabulary" ]; then
  packed=vocabulary/$({ sha256sum <"$vocabulary"; declare -f pack_vocabulary; } | sha256sum | cut -c1-16)
  once "$packed" pack_vocabulary
  if ! cmp -s "$cache/$packed/llama3.gguf.gz" "$embedded/llama3.gguf.gz"; then
    tmp=$(mktemp "$embedded/.llama3.XXXXXX")
    trap 'rm -f "$tmp"' EXIT
    cp "$cache/$packed/llama3.gguf.gz" "$tmp"
    chmod 644 "$tmp"
    mv "$tmp" "$embedded/llama3.gguf.gz"
  fi
else
  say "this llama.cpp tree holds no models/ggml-vocab-llama-bpe.gguf: synthetic models cannot be made"
  rm -f "$embedded/llama3.gguf.gz"
fi

# The folders' names change with their content, so the go command links anew exactly when it must.
tmp=$(mktemp "$go_file.XXXXXX")
trap 'rm -f "$tmp"' EXIT
cat >"$tmp" <<GO
// Code generated by native/build.sh; DO NOT EDIT.

$tag

package llama

/*
#cgo CPPFLAGS: -I$cache/$core/include$define
#cgo LDFLAGS: ${objects[*]} $cache/$core/libllama.a $libraries -lm -lpthread
*/
import "C"

const (
	// Revision is the llama.cpp commit that is linked in ("local" for a tree of the builder's).
	Revision = "$revision"
	// GPUBackend is the GPU back end that is linked in, "" where there is none.
	GPUBackend = "$name"
	// SourceDir is the llama.cpp tree that was built; tests read its vocabularies and grammars.
	sourceDir = "$src"
)
GO
cmp -s "$tmp" "$go_file" || mv "$tmp" "$go_file"
