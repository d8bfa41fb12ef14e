#!/usr/bin/env bash
# Proves what docs/release.md says of a release: test-release.sh [MUTANTS [SEED]], after make release and with the default model in
# the store.
#
# Two builds of the commit, in different folders, one with an empty build cache, are the same bytes. The signature verifies, and not
# once a byte has changed. The bill of materials and the licences name every module that is linked. A bundle with the default
# model tags the examples in an empty chroot on a read-only file system, in a network namespace without interfaces, as a user
# without rights or home, and gives the records that the plain file gives. Without a chroot, `make demo`'s job and a bundle's do so on the whole
# machine, where that user can write nothing but the output folder. No command makes a socket. ggml's own threads cannot open a
# file or make a socket in the sandbox, and can outside. MUTANTS damaged models (10,000) end no process. Takes root; installs
# strace where it is missing.
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
once="--deterministic --threads 1 -q" # one thread: a busy machine makes two wait for each other
"$exe" tag $once examples/sentences.txt -o "$work/plain.jsonl"
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
  'jailed /emospan tag $once /in.txt -o /out/out.jsonl'
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

# The air gap: every mounted file system read-only but the output folder, no network interface up, nobody, no home; the model is one
# that this user may read.
gap=$work/gap
mkdir -p "$gap/out"
chmod 777 "$gap/out"
cp examples/sentences.txt "$gap/in.txt"
cp "$exe" "$gap/emospan"
cp "$("$exe" models show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["path"])')" "$gap/model.gguf"
chmod 755 "$gap" "$gap/emospan"
chmod 644 "$gap/in.txt" "$gap/model.gguf"
gapped() { # COMMAND..., with $out the output folder
  unshare --net --mount sh -c '
    gap=$1; shift
    mount --bind "$gap/out" "$gap/out" || exit 9
    awk "{ print \$5 }" /proc/self/mountinfo | while read -r at; do
      case $at in "$gap/out") ;; *) mount -o remount,bind,ro "$(printf %b "$at")" 2>/dev/null ;; esac
    done
    cd "$gap" && exec env -i PATH="$PATH" gap="$gap" setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"' sh "$gap" "$@"
}
check "there: no network interface but a loopback that is down" \
  'gapped sh -c "cat /proc/net/dev" | tail -n +3 | { ! grep -v "^ *lo:" ; } && ! gapped sh -c "cat /proc/net/route" | grep -q "^[a-z]"'
check "there: nobody may write the output folder" 'gapped sh -c "echo x >out/probe && rm out/probe"'
check "there: and no other folder, those of / that all may write included" \
  '! gapped sh -c "for d in . /dev/shm \$(find / -xdev -type d -perm -o+w 2>/dev/null); do touch \$d/probe 2>/dev/null && echo \$d; done" | grep -vx "$gap/out" | grep .'
check "there: tag writes the records of the plain file, and all are valid" \
  'gapped ./emospan tag $once -m model.gguf in.txt -o out/out.jsonl && gapped ./emospan validate -q out/out.jsonl && python3 -B scripts/check_demo.py examples/sentences.txt "$gap/out/out.jsonl" >/dev/null'
check "there: but for the name of the model" 'sed "s/\"model\":\"[^\"]*\"//" "$gap/out/out.jsonl" | cmp - <(sed "s/\"model\":\"[^\"]*\"//" "$work/plain.jsonl")'
ln "$jail/emospan" "$gap/bundle"
check "there: a bundle writes the records of the plain file" 'gapped ./bundle tag $once in.txt -o out/bundle.jsonl && cmp "$gap/out/bundle.jsonl" "$work/plain.jsonl"'
check "there: report, compare, export and bench" \
  'gapped ./bundle report out/bundle.jsonl -o out/r.html && gapped ./bundle compare out/bundle.jsonl out/out.jsonl >/dev/null && gapped ./bundle export out/out.jsonl --to conll -o out/c.conll &&
   gapped ./bundle bench --limit 2 --parallel 2 --threads 1 --decode compact --seconds 1 --repeats 1 in.txt >/dev/null 2>"$work/err" || { tail -n 2 "$work/err"; false; }'

# No sockets.
sockets() { # WHAT COMMAND...
  local what=$1 status=0
  shift
  strace -f -qq -e signal=none -e trace=%network,io_uring_setup -o "$work/trace" "$@" >/dev/null 2>"$work/err" || status=$?
  sed -i "/+++/d" "$work/trace" # the note of an execve, by which the sandbox begins
  check "$what ends with $status and makes $(wc -l <"$work/trace") calls of the network's" '[ $status = 0 ] && [ ! -s "$work/trace" ]'
}
sockets "tag" "$exe" tag --limit 4 $once examples/sentences.txt -o "$work/traced.jsonl"
sockets "tag --no-sandbox" "$exe" tag --limit 4 $once --no-sandbox examples/sentences.txt -o "$work/traced2.jsonl"
sockets "validate" "$exe" validate "$work/plain.jsonl"
sockets "report" "$exe" report "$work/plain.jsonl" -o "$work/report.html"
sockets "bench" env XDG_CACHE_HOME="$work/cache" "$exe" bench --limit 8 --parallel 4 --threads 1 --decode compact --seconds 2 --repeats 1 examples/sentences.txt
strace -f -qq -e signal=none -e trace=%network -o "$work/trace" python3 -c 'import socket; socket.socket()'
check "strace would have seen one" '[ -s "$work/trace" ]'

# The sandbox, from ggml's own threads.
threads() { "$go" test -count=1 -v "$@" >"$work/test.log" 2>&1 && grep -q "^--- PASS" "$work/test.log" && ! grep -q "^--- SKIP" "$work/test.log"; }
check "ggml's threads cannot open a file or make a socket in it, and can outside" 'threads -tags threadprobe -run "^TestThreadProbe$" ./llama || { tail "$work/test.log"; false; }'
check "every thread of a run is in it" 'threads -run "^TestSandbox$" ./cmd/emospan || { tail "$work/test.log"; false; }'
check "its policy, call by call" 'threads ./sandbox || { tail "$work/test.log"; false; }'

# Damaged models.
if GO=$go scripts/test-gguf.sh "${1:-10000}" "${2:-1}" >"$work/gguf" 2>&1; then ok "damaged models: $(tail -n 1 "$work/gguf")"; else tail -n 20 "$work/gguf"; bad "damaged models"; fi
grep -h "files:\|refused\|loaded" "$work/gguf" | sed "s/^ */     /" | tail -n 5 || true
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
