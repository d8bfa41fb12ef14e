#!/usr/bin/env bash
# Makes dist/: the static executable with every CPU variant, its bill of materials, the licence texts, checksums and, where
# SIGN_KEY names a key of ssh-keygen's, a signature of these. One commit gives the same bytes wherever it is built with the same
# compilers; so nothing of the time, the folder or the machine is in them.
#
#   SIGN_KEY     a private key of ssh-keygen's
#   BUILD_CACHE  a folder for go build's cache, for a build that takes nothing from an earlier one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
dist=dist
say() { echo "release: $*" >&2; }

if [ -n "${SIGN_KEY:-}" ] && [ ! -f "$SIGN_KEY" ]; then say "SIGN_KEY=$SIGN_KEY is not a file; make one with ssh-keygen -t ed25519"; exit 1; fi
llama/native/build.sh all
"$go" run ./scripts/licenses "$(llama/native/build.sh source)" cmd/emospan/licenses/licenses.txt.gz

rm -rf "$dist"
mkdir "$dist"
# -buildid=: Go's own would name the folder of the native libraries. -buildvcs: the version has the commit, whatever GOFLAGS says.
${BUILD_CACHE:+env "GOCACHE=$BUILD_CACHE"} "$go" build -trimpath -buildvcs=auto -tags release,netgo,osusergo -o "$dist/emospan" \
  -ldflags '-s -w -buildid= -linkmode external -extldflags "-static -Wl,--build-id=none"' ./cmd/emospan
"$dist/emospan" version --licenses >"$dist/LICENSES.txt"

revision=$(sed -n 's/.*Revision = "\(.*\)"/\1/p' llama/native_all.go)
sdist=$([ "$revision" = local ] || sed -n 's/.*sha256:\([0-9a-f]\{64\}\).*/\1/p' llama/native/requirements.txt)
time=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null || echo 1970-01-01T00:00:00Z)
version=$("$dist/emospan" version --json | sed -n 's/.*"emospan": "\([^"]*\)".*/\1/p')
"$go" run "$sbom" bin -json -noserial -notimestamp -std -licenses -version "$version" "$dist/emospan" 2>/dev/null >"$dist/.modules.json" ||
  { say "cyclonedx-gomod failed: $go run $sbom says why"; exit 1; }
"$go" run ./scripts/sbom -llama "$revision" -sdist "$sdist" -time "$time" -sha256 "$(sha256sum <"$dist/emospan" | cut -c1-64)" \
  <"$dist/.modules.json" >"$dist/emospan.cdx.json"
rm "$dist/.modules.json"

(cd "$dist" && sha256sum emospan emospan.cdx.json LICENSES.txt >SHA256SUMS)
if [ -n "${SIGN_KEY:-}" ]; then
  ssh-keygen -q -Y sign -f "$SIGN_KEY" -n emospan "$dist/SHA256SUMS"
else
  say "not signed: SIGN_KEY=FILE names a key (ssh-keygen -t ed25519)"
fi
ls -l "$dist" >&2
