#!/usr/bin/env bash
# Makes dist/: the static executable with every CPU variant, its bill of materials, the licence texts, checksums and, where
# SIGN_KEY names a key of ssh-keygen's, a signature of these. One commit gives the same bytes wherever it is built with the same
# compilers; so nothing of the time, the folder or the machine is in them.
#
#   GPU          vulkan: also emospan-vulkan, with that back end, linked against glibc alone, and its bill of materials
#   ARCH         amd64 or arm64 (default: this machine's); for the other one the cross compilers build dist-ARCH/
#   SIGN_KEY     a private key of ssh-keygen's
#   BUILD_CACHE  a folder for go build's cache, for a build that takes nothing from an earlier one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
dist=dist linked=llama/native_all cross=()
case $(uname -m) in x86_64) host=amd64 ;; aarch64) host=arm64 ;; *) host=$(uname -m) ;; esac
arch=${ARCH:-$host}
if [ "$arch" != "$host" ]; then
  triplet=$([ "$arch" = arm64 ] && echo aarch64-linux-gnu || echo x86_64-linux-gnu)
  dist=dist-$arch linked=llama/native_all_$arch
  cross=(env CGO_ENABLED=1 "GOARCH=$arch" "CC=${CC:-$triplet-gcc}" "CXX=${CXX:-$triplet-g++}")
fi
say() { echo "release: $*" >&2; }

if [ -n "${SIGN_KEY:-}" ] && [ ! -f "$SIGN_KEY" ]; then say "SIGN_KEY=$SIGN_KEY is not a file; make one with ssh-keygen -t ed25519"; exit 1; fi
gpu=${GPU:-}
case $gpu in "" | vulkan) ;; *) say "GPU=$gpu: a release can be made for vulkan"; exit 1 ;; esac
if [ -n "$gpu" ] && [ "$arch" != "$host" ]; then say "GPU=$gpu: only for this machine's architecture; leave out ARCH=$arch"; exit 1; fi
rm -rf "$dist"
mkdir "$dist"

# executable NAME TAGS LINKER-FLAGS: builds it and its bill of materials. GPU is that of this executable.
# -buildid=: Go's own would name the folder of the native libraries. -buildvcs: the version has the commit, whatever GOFLAGS says.
executable() {
  local name=$1 tags=$2 flags=$3 source revision sdist time version commit vulkan=
  llama/native/build.sh all
  source=$(llama/native/build.sh source)
  # shellcheck disable=SC2086
  "$go" run ./scripts/licenses "$source" cmd/emospan/licenses/licenses.txt.gz $GPU
  ${BUILD_CACHE:+env "GOCACHE=$BUILD_CACHE"} "${cross[@]}" "$go" build -trimpath -buildvcs=auto -tags "$tags" -o "$dist/$name" \
    -ldflags "-s -w -buildid= -linkmode external -extldflags \"$flags -Wl,--build-id=none\"" ./cmd/emospan

  revision=$(sed -n 's/.*Revision = "\(.*\)"/\1/p' "$linked${GPU:+_$GPU}.go")
  sdist=$([ "$revision" = local ] || sed -n 's/.*sha256:\([0-9a-f]\{64\}\).*/\1/p' llama/native/requirements.txt)
  time=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null || echo 1970-01-01T00:00:00Z)
  version=$(sed -n 's/^const version = "\(.*\)"/\1/p' cmd/emospan/version.go)
  commit=$("$go" version -m "$dist/$name" | sed -n 's/.*vcs\.revision=\([0-9a-f]\{12\}\).*/\1/p')
  version=$version${commit:++$commit} # what emospan version prints
  [ "$GPU" != vulkan ] || vulkan=$(echo VK_HEADER_VERSION | "${CXX:-g++}" -E -P -include vulkan/vulkan_core.h -x c++ - | tail -n 1)
  "$go" run "$sbom" bin -json -noserial -notimestamp -std -licenses -version "$version" "$dist/$name" 2>/dev/null >"$dist/.modules.json" ||
    { say "cyclonedx-gomod failed: $go run $sbom says why"; exit 1; }
  "$go" run ./scripts/sbom -llama "$revision" -sdist "$sdist" -time "$time" -vulkan "$vulkan" -sha256 "$(sha256sum <"$dist/$name" | cut -c1-64)" \
    <"$dist/.modules.json" >"$dist/$name.cdx.json"
  rm "$dist/.modules.json"
}

files=(emospan emospan.cdx.json LICENSES.txt)
export GPU=
if [ -n "$gpu" ]; then
  GPU=$gpu executable "emospan-$gpu" "release,netgo,osusergo,$gpu" ""
  files+=("emospan-$gpu" "emospan-$gpu.cdx.json")
fi
executable emospan release,netgo,osusergo -static
if [ ${#cross[@]} -gt 0 ]; then
  gzip -dc cmd/emospan/licenses/licenses.txt.gz >"$dist/LICENSES.txt" # what the executable would print there
else
  "$dist/emospan${gpu:+-$gpu}" version --licenses >"$dist/LICENSES.txt" # that of the one that holds most
fi

(cd "$dist" && sha256sum "${files[@]}" >SHA256SUMS)
if [ -n "${SIGN_KEY:-}" ]; then
  ssh-keygen -q -Y sign -f "$SIGN_KEY" -n emospan "$dist/SHA256SUMS"
else
  say "not signed: SIGN_KEY=FILE names a key (ssh-keygen -t ed25519)"
fi
ls -l "$dist" >&2
