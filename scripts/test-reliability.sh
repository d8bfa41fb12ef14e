#!/usr/bin/env bash
# What a run of days must survive, on one machine and on many; make test-reliability builds what it needs. Each part is a line below: a name and a command that fails where it does not hold.
# KILLS and SEED say how many runs are killed, and when.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v strace >/dev/null; then
  echo "reliability: installing Debian's strace" >&2
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends strace >/dev/null ||
    { echo "reliability: there is no strace on PATH and apt-get could not install it" >&2; exit 1; }
fi
passed=0
failed=0
part() {
  local name=$1 begin=$SECONDS
  shift
  if "$@"; then echo "ok   $name ($((SECONDS - begin)) s)"; passed=$((passed + 1)); else echo "FAIL $name: $*"; failed=$((failed + 1)); fi
}
test=("${GO:-go}" test -count=1 -timeout 60m -v -tags reliability)

part "outputs torn anywhere, and disks that fail" "${test[@]}" ./dataset -run '^(TestPartial|TestFaults|TestFailedSync|TestFollow|TestLock)'
part "runs killed at random moments" "${test[@]}" ./cmd/emospan -run '^TestKilled$' -kills "${KILLS:-200}" -kills.seed "${SEED:-0}"
part "writes and syncs that the kernel refuses" "${test[@]}" ./cmd/emospan -run '^TestInjectedFaults$'
part "full disks" "${test[@]}" ./cmd/emospan -run '^TestFullDisk'
part "control groups, out of memory, a read-only disk" "${test[@]}" ./cmd/emospan -run '^(TestControlGroupTooSmall|TestOutOfMemory|TestReadOnlyDisk)$'
part "two runs on one output" "${test[@]}" ./cmd/emospan -run '^TestTwoRuns$'
part "bad inputs" "${test[@]}" ./cmd/emospan -run '^TestBad(Lines|Runs)$'
part "memory as files grow" scripts/test-memory.sh bin/emospan
part "a Slurm array with a task killed" scripts/test-slurm.sh bin/emospan
part "Spark's partitions" scripts/test-spark.sh bin/emospan

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
