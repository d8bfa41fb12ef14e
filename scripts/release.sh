#!/usr/bin/env bash
# Makes dist/: the static executable with every CPU variant, its bill of materials, the licence texts, checksums and, where
# SIGN_KEY names a key of ssh-keygen's, a signature of these. One commit gives the same bytes wherever it is built with the same
# compilers; so nothing of the time, the folder or the machine is in them.
#
#   GPU          vulkan: also emospan-vulkan, with that back end, linked against glibc alone, and its bill of materials
#   SIGN_KEY     a private key of ssh-keygen's
#   BUILD_CACHE  a folder for go build's cache, for a build that takes nothing from an earlier one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
dist=dist
say() { echo "release: $*" >&2; }

if [ -n "${SIGN_KEY:-}" ] && [ ! -f "$SIGN_KEY" ]; then say "SIGN_KEY=$SIGN_KEY is not a file; make one with ssh-keygen -t ed25519"; exit 1; fi
gpu=${GPU:-}
case $gpu in "" | vulkan) ;; *) say "GPU=$gpu: a release can be made for vulkan"; exit 1 ;; esac
rm -rf "$dist"
mkdir "$dist"

# executable NAME TAGS LINKER-FLAGS: builds it and its bill of materials. GPU is that of this executable.
# -buildid=: Go's own would name the folder of the native libraries. -buildvcs: the version has the commit, whatever GOFLAGS says.
executable() {
  local name=$1 tags=$2 flags=$3 source revision sdist time version vulkan=
  llama/native/build.sh all
  source=$(llama/native/build.sh source)
  # shellcheck disable=SC2086
  "$go" run ./scripts/licenses "$source" cmd/emospan/licenses/licenses.txt.gz $GPU
  ${BUILD_CACHE:+env "GOCACHE=$BUILD_CACHE"} "$go" build -trimpath -buildvcs=auto -tags "$tags" -o "$dist/$name" \
    -ldflags "-s -w -buildid= -linkmode external -extldflags \"$flags -Wl,--build-id=none\"" ./cmd/emospan

  revision=$(sed -n 's/.*Revision = "\(.*\)"/\1/p' "llama/native_all${GPU:+_$GPU}.go")
  sdist=$([ "$revision" = local ] || sed -n 's/.*sha256:\([0-9a-f]\{64\}\).*/\1/p' llama/native/requirements.txt)
  time=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null || echo 1970-01-01T00:00:00Z)
  version=$("$dist/$name" version --json | sed -n 's/.*"emospan": "\([^"]*\)".*/\1/p')
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
"$dist/emospan${gpu:+-$gpu}" version --licenses >"$dist/LICENSES.txt" # that of the one that holds most

(cd "$dist" && sha256sum "${files[@]}" >SHA256SUMS)
if [ -n "${SIGN_KEY:-}" ]; then
  ssh-keygen -q -Y sign -f "$SIGN_KEY" -n emospan "$dist/SHA256SUMS"
else
  say "not signed: SIGN_KEY=FILE names a key (ssh-keygen -t ed25519)"
fi
ls -l "$dist" >&2
