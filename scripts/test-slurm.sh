#!/usr/bin/env bash
# Runs scripts/slurm on a Slurm cluster of four node names on this machine, in a scratch folder, with a munge of its own: an array
# of 8 tasks over 400 texts, of which one is killed and requeued, and a merge that depends on it. The merged file must be that of
# a single run. Installs Debian's slurm-wlm and munge where they are missing. test-slurm.sh EMOSPAN
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=$(realpath "${1:?usage: test-slurm.sh EMOSPAN}")
scripts=$PWD/scripts/slurm
work=$(mktemp -d)
passed=0
failed=0
ok() { echo "ok   $1"; passed=$((passed + 1)); }
bad() { echo "FAIL $1"; failed=$((failed + 1)); }
check() { if "${@:2}"; then ok "$1"; else bad "$1"; fi; }

PATH=$PATH:/usr/sbin:/sbin
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v munged >/dev/null; then
  echo "slurm: installing Debian's slurm-wlm and munge" >&2
  { as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends slurm-wlm munge; } >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; echo "slurm: slurm-wlm and munge are needed, and apt-get could not install them" >&2; exit 1; }
fi

# Each daemon is stopped by the number in its own file.
stop() {
  local file
  for file in "$work"/run/*.pid; do
    [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
  done
  sleep 1
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
mkdir -p "$work/run" "$work/state" "$work/spool" "$work/log"
chmod 755 "$work"
head -c 128 /dev/urandom >"$work/run/munge.key"
chmod 400 "$work/run/munge.key"
host=$(hostname -s)
cat >"$work/slurm.conf" <<END
ClusterName=emospan
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=17800
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/run/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=1
SelectType=select/cons_tres
SlurmdParameters=config_overrides
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
SlurmctldPidFile=$work/run/slurmctld.pid
SlurmdPidFile=$work/run/slurmd-%n.pid
SlurmctldLogFile=$work/log/slurmctld
SlurmdLogFile=$work/log/slurmd-%n
KillWait=2
NodeName=n[1-4] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17801-17804] CPUs=1
PartitionName=all Nodes=ALL Default=YES
END
export SLURM_CONF=$work/slurm.conf
munged --force --key-file="$work/run/munge.key" --socket="$work/run/munge.socket" --pid-file="$work/run/munged.pid" \
  --log-file="$work/log/munged" --seed-file="$work/run/munge.seed"
slurmctld
for n in 1 2 3 4; do
  mkdir -p "$work/spool/n$n"
  slurmd -N "n$n"
done
# within SECONDS COMMAND...: waits for something to become true.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}
idle() { [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 4 ]; }
within 60 idle || { sinfo >&2 || true; tail -n 3 "$work"/log/* >&2; echo "slurm: the cluster does not come up" >&2; exit 1; }

# 400 different texts, and a model of random weights.
CGO_ENABLED=0 go run ./scripts/tinymodel "$(llama/native/build.sh source)/models/ggml-vocab-llama-spm.gguf" "$work/tiny.gguf"
for ((i = 0; i < 400; i++)); do echo "On day $i the kettle whistled, and nobody minded."; done >"$work/texts.txt"
flags=(-m "$work/tiny.gguf" --deterministic --threads 1 --flush -q)
"$exe" tag "${flags[@]}" -o "$work/single.jsonl" "$work/texts.txt"

# The program as the tasks run it says who it is, so that one can be found.
cat >"$work/emospan" <<END
#!/bin/sh
echo \$\$ >"$work/run/task-\$SLURM_ARRAY_TASK_ID-\${SLURM_RESTART_COUNT:-0}"
exec "$exe" "\$@"
END
chmod +x "$work/emospan"
export EMOSPAN=$work/emospan
cd "$work"
id=$(sbatch --parsable --array=0-7 "$scripts/emospan.sbatch" 8 merged.jsonl "${flags[@]}" texts.txt)
merge=$(sbatch --parsable --dependency="afterok:$id" "$scripts/merge.sbatch" 8 merged.jsonl)
part=merged.jsonl.parts/5.jsonl
begun() { [ -e "$part" ] && [ "$(wc -l <"$part")" -ge 5 ]; }
if within 120 begun; then
  victim=$(cat "$work/run/task-5-0")
  kill -STOP "$victim" # so that it cannot finish in the meantime, nor hear SIGTERM
  sleep 0.2
  before=$(wc -l <"$part")
  scontrol requeue "${id}_5"
  check "a task was killed behind $before of its 50 records and requeued" test "$before" -lt 50
else
  bad "task 5 wrote nothing: $(tail -n 2 emospan-"$id"_5.log 2>&1)"
fi
ended() { [ -z "$(squeue -h -j "$id,$merge" 2>/dev/null)" ]; }
within 300 ended || { squeue >&2; bad "the jobs do not end"; }
check "the killed task ran again" test -s "$work/run/task-5-1"
made=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["parts"][-1]["records"])' "$part.manifest.json" || echo 50)
check "it went on where it was: the second part made $made records" test "$made" -lt 50
states=$(scontrol show job "$id" | sed -n 's/.*JobState=\([A-Z]*\).*/\1/p' | sort | uniq -c | xargs)
check "all tasks ended well: $states" test "$states" = "8 COMPLETED"
check "the merge ran: $(tail -n 1 "emospan-merge-$merge.log" 2>&1)" test -s merged.jsonl
check "the merged file is that of the single run" cmp merged.jsonl single.jsonl
check "and so is the reject log" cmp merged.jsonl.rejects.jsonl single.jsonl.rejects.jsonl
check "its 400 records are valid" "$exe" validate -q merged.jsonl
count=$("$exe" validate --json merged.jsonl | python3 -c 'import json, sys; print(json.load(sys.stdin)["records"])')
check "there are $count of them" test "$count" = 400
# The tasks once more: each finds its shard done and leaves it as it is.
stat -c '%n %y %s' merged.jsonl.parts/?.jsonl >before
again=$(sbatch --parsable --array=0-7 "$scripts/emospan.sbatch" 8 merged.jsonl "${flags[@]}" texts.txt)
merge=$(sbatch --parsable --dependency="afterok:$again" "$scripts/merge.sbatch" 8 again.jsonl)
ended() { [ -z "$(squeue -h -j "$again,$merge" 2>/dev/null)" ]; }
within 120 ended || { squeue >&2; scancel "$again" "$merge"; }
check "a merge whose shards are missing says so: $(tail -n 1 "emospan-merge-$merge.log" 2>&1 | cut -c-120)" grep -q "no such input again.jsonl.parts/0.jsonl" "emospan-merge-$merge.log"
stat -c '%n %y %s' merged.jsonl.parts/?.jsonl >after
check "tasks submitted again find their shards done" cmp before after
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
