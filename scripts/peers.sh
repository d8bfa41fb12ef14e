#!/usr/bin/env bash
# Builds llama.cpp's own programs from the tree that package llama links, as a user of this machine would, and makes
# bin/peers a link to them: llama-server, llama-bench and llama-batched-bench. `make peers` runs it, `make bench-peers`
# compares with them.
#
# They lie in the cache that llama/native/build.sh uses, in a folder named by a hash of source, switches, compiler and CPU.
# It is built beside its final place under a lock and moved in whole, so an interrupted build leaves nothing to be taken for
# one. The build itself asks the network for nothing.
#
#   LLAMA_CPP_DIR   a llama.cpp tree to use instead of the pinned one
#   JOBS            parallel compiler jobs (default: all cores)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${EMOSPAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/emospan}
jobs=${JOBS:-$(nproc)}
programs=(llama-server llama-bench llama-batched-bench)
say() { echo "peers: $*" >&2; }

src=$("$top/llama/native/build.sh" source)
if [ -n "${LLAMA_CPP_DIR:-}" ]; then
  revision=local
  source_id=$(cd "$src" && find . \( -name .git -o -path ./models -o -path "./build*" \) -prune -o -type f -print0 |
    sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
else
  revision=$(sed -n 's/.*llama\.cpp@\([0-9a-f]*\).*/\1/p' "$top/llama/native/requirements.txt")
  source_id=$(basename "$src")
fi

# Upstream's defaults (native instructions, OpenMP), but for one executable without libraries beside it, and nothing that is
# fetched or needs a library of the system's: no TLS, no web page.
switches=(-DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF -DGGML_CCACHE=OFF
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF
  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_COMMIT="$revision" -DLLAMA_BUILD_NUMBER=0)

build() {
  cmake -S "$src" -B "$out/b" "${switches[@]}" &&
    cmake --build "$out/b" -j "$jobs" --target "${programs[@]}" &&
    (cd "$out/b/bin" && strip "${programs[@]}" && mv "${programs[@]}" "$out/") &&
    rm -rf "$out/b"
}

# What GGML_NATIVE compiles for; a cache that several machines share holds one set for each.
cpu=$(grep -m2 -E '^(model name|flags|Features)' /proc/cpuinfo 2>/dev/null || uname -mp)
toolchain="$(${CC:-cc} --version | head -n1) $(${CXX:-c++} --version | head -n1) ${CFLAGS:-} ${CXXFLAGS:-}"
key=$(printf '%s\n' "$source_id" "$toolchain" "$cpu" "${switches[*]}" "$(declare -f build)" | sha256sum | cut -c1-16)
dest=$cache/peers/$key

if [ ! -d "$dest" ]; then
  mkdir -p "$cache"/{lock,tmp,log,peers}
  say "building ${programs[*]} (5 to 20 minutes, once for this machine)"
  (
    flock 9
    [ -d "$dest" ] && exit 0
    out=$cache/tmp/peers-$key
    log=$cache/log/peers-$key.log
    rm -rf "$out"
    mkdir "$out"
    trap 'rm -rf "$out"' EXIT
    trap 'exit 130' INT TERM HUP
    if ! (renice -n 10 "$BASHPID" && build) >"$log" 2>&1 9>&-; then
      tail -n 25 "$log" >&2
      say "the build failed; the whole log is $log"
      exit 1
    fi
    mv -T "$out" "$dest"
  ) 9>"$cache/lock/peers-$key"
fi

# Renamed into place: whoever looks meanwhile finds the old set or the new one.
link=$top/bin/peers
[ "$(readlink "$link" || true)" = "$dest" ] && exit 0
mkdir -p "$top/bin"
ln -sfn "$dest" "$link.$$"
mv -T "$link.$$" "$link"
