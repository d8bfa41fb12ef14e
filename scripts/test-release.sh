#!/usr/bin/env bash
# Proves what docs/release.md says of a release: test-release.sh, after make release and with the default model in the store.
#
# Two builds of the commit, in different folders, one with an empty build cache, are the same bytes. The signature verifies, and not
# once a byte has changed. The bill of materials and the licences name every module that is linked. A bundle with the default
# model tags the examples in an empty chroot on a read-only file system, in a network namespace without interfaces, as a user
# without rights or home, and gives the records that the plain file gives. No command makes a socket. ggml's own threads cannot open a
# file or make a socket in the sandbox, and can outside. Takes root; installs strace where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
ok() { echo "ok   $1"; passed=$((passed + 1)); }
bad() { echo "FAIL $1"; failed=$((failed + 1)); }
check() { if eval "$2"; then ok "$1"; else bad "$1: $2"; fi; }
[ "$(id -u)" = 0 ] || { echo "test-release: run as root: it makes namespaces and a chroot" >&2; exit 1; }
if ! command -v strace >/dev/null; then
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends strace; } >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; echo "test-release: install Debian's package strace" >&2; exit 1; }
fi
exe=$PWD/dist/emospan
value() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }

# Two builds.
ssh-keygen -q -t ed25519 -N "" -C test -f "$work/key"
git clone -q . "$work/one"
git clone -q . "$work/another folder"
(cd "$work/one" && SIGN_KEY=$work/key scripts/release.sh) >"$work/one.log" 2>&1 || { tail "$work/one.log"; bad "the first build"; }
(cd "$work/another folder" && BUILD_CACHE=$work/gocache scripts/release.sh) >"$work/two.log" 2>&1 || { tail "$work/two.log"; bad "the second build"; }
for file in emospan emospan.cdx.json LICENSES.txt SHA256SUMS; do
  check "two builds make the same $file, $(stat -c %s "$work/one/dist/$file") bytes" 'cmp "$work/one/dist/$file" "$work/another folder/dist/$file"'
done
check "the checksums hold" '(cd "$work/one/dist" && sha256sum --quiet -c SHA256SUMS)'
echo "emospan namespaces=\"emospan\" $(cut -d" " -f1,2 "$work/key.pub")" >"$work/signers"
verify() { ssh-keygen -q -Y verify -f "$work/signers" -I emospan -n emospan -s "$work/one/dist/SHA256SUMS.sig" >/dev/null 2>&1; }
check "the signature verifies" 'verify <"$work/one/dist/SHA256SUMS"'
check "and not for other bytes" '! { cat "$work/one/dist/SHA256SUMS"; echo; } | verify'

# What is inside.
"$go" version -m "$exe" | awk '$1 == "dep" { print $2, $3 }' >"$work/modules"
python3 - "$work/modules" dist/emospan.cdx.json dist/LICENSES.txt >"$work/missing" <<'PY'
import json, sys
bom = json.load(open(sys.argv[2]))
parts = {(c["name"], c["version"]) for c in bom["components"]}
licences = open(sys.argv[3]).read()
for name, version in (line.split() for line in open(sys.argv[1])):
    if (name, version) not in parts: print("not in the bill of materials:", name, version)
    if f"\n{name} {version}\n" not in licences: print("no licence text:", name, version)
for name in "llama.cpp", "glibc", "libstdc++", "std":
    if name not in {n for n, _ in parts}: print("not in the bill of materials:", name)
refs = {c["bom-ref"] for c in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
for d in bom["dependencies"]:
    for r in [d["ref"], *d.get("dependsOn", [])]:
        if r not in refs: print("depends on something unknown:", r)
PY
check "bill of materials and licences have the $(wc -l <"$work/modules") modules, llama.cpp and the C libraries" '[ -s "$work/modules" ] && ! grep . "$work/missing"'
make -s install DESTDIR="$work/dest" PREFIX=/opt/emospan
check "make install honours DESTDIR and PREFIX" 'cmp "$exe" "$work/dest/opt/emospan/bin/emospan" && [ "$(stat -c %a "$work/dest/opt/emospan/bin/emospan")" = 755 ]'

# A bundle, alone.
jail=$work/jail
mkdir "$jail" "$jail/out"
"$exe" bundle -o "$jail/emospan" >"$work/bundle"
cp examples/sentences.txt "$jail/in.txt"
chmod 755 "$work" "$jail"
"$exe" tag --deterministic -q examples/sentences.txt -o "$work/plain.jsonl"
jailed() {
  unshare --net --mount sh -c '
    mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t tmpfs -o mode=777 none "$1/out" || exit 9
    shift_out=$2; jail=$1; shift 2
    env -i "$(command -v chroot)" --userspec=65534:65534 "$jail" "$@"; status=$?
    cp "$jail"/out/* "$shift_out/" 2>/dev/null
    exit $status' sh "$jail" "$work/out" "$@"
}
mkdir "$work/out"
check "a bundle tags the examples in an empty chroot, read-only, without network, as nobody" \
  'jailed /emospan tag --deterministic -q /in.txt -o /out/out.jsonl'
check "with the records that the plain file gives" 'cmp "$work/out/out.jsonl" "$work/plain.jsonl"'
for name in model model_sha256 binary_sha256; do
  check "and the same $name" '[ "$(value "$work/out/out.jsonl.manifest.json" $name)" = "$(value "$work/plain.jsonl.manifest.json" $name)" ]'
done
check "in the sandbox: $(value "$work/out/out.jsonl.manifest.json" sandbox 2>/dev/null)" '[ "$(value "$work/out/out.jsonl.manifest.json" sandbox)" = "$(value "$work/plain.jsonl.manifest.json" sandbox)" ]'
check "bundle --verify there" 'jailed /emospan bundle --verify >/dev/null'
check "validate and devices there" 'jailed /emospan validate -q /in.txt >/dev/null 2>&1; [ $? = 1 ] && jailed /emospan devices >/dev/null'
program=$(awk '$1 == "program" { print $2 }' "$work/bundle")
check "its first $program bytes are the release" 'head -c "$program" "$jail/emospan" | cmp - "$exe"'
head -c $(($(stat -c %s "$jail/emospan") - 100000)) "$jail/emospan" >"$jail/cut"
chmod 755 "$jail/cut"
jailed /cut tag /in.txt 2>"$work/err" && bad "a cut bundle runs" || check "a cut bundle: $(cat "$work/err")" '[ "$(wc -l <"$work/err")" = 1 ] && grep -q "cut short" "$work/err"'

# No sockets.
sockets() { # WHAT COMMAND...
  local what=$1 status=0
  shift
  strace -f -qq -e signal=none -e trace=%network,io_uring_setup -o "$work/trace" "$@" >/dev/null 2>"$work/err" || status=$?
  sed -i "/+++/d" "$work/trace" # the note of an execve, by which the sandbox begins
  check "$what ends with $status and makes $(wc -l <"$work/trace") calls of the network's" '[ $status = 0 ] && [ ! -s "$work/trace" ]'
}
sockets "tag" "$exe" tag --limit 4 -q examples/sentences.txt -o "$work/traced.jsonl"
sockets "tag --no-sandbox" "$exe" tag --limit 4 -q --no-sandbox examples/sentences.txt -o "$work/traced2.jsonl"
sockets "validate" "$exe" validate "$work/plain.jsonl"
sockets "report" "$exe" report "$work/plain.jsonl" -o "$work/report.html"
sockets "bench" env XDG_CACHE_HOME="$work/cache" "$exe" bench --limit 8 --parallel 4 --decode compact --seconds 2 --repeats 1 examples/sentences.txt
strace -f -qq -e signal=none -e trace=%network -o "$work/trace" python3 -c 'import socket; socket.socket()'
check "strace would have seen one" '[ -s "$work/trace" ]'

# The sandbox, from ggml's own threads.
threads() { "$go" test -count=1 -v "$@" >"$work/test.log" 2>&1 && grep -q "^--- PASS" "$work/test.log" && ! grep -q "^--- SKIP" "$work/test.log"; }
check "ggml's threads cannot open a file or make a socket in it, and can outside" 'threads -tags threadprobe -run "^TestThreadProbe$" ./llama || { tail "$work/test.log"; false; }'
check "every thread of a run is in it" 'threads -run "^TestSandbox$" ./cmd/emospan || { tail "$work/test.log"; false; }'
check "its policy, call by call" 'threads ./sandbox || { tail "$work/test.log"; false; }'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
