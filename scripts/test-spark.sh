#!/usr/bin/env bash
# Runs emospan as a filter in the partitions of a Spark cluster of two workers on this machine, with the default model:
# test-spark.sh EMOSPAN. PySpark comes by pip; Java is Debian's, installed where there is none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exe=${1:?usage: test-spark.sh EMOSPAN}
if ! command -v java >/dev/null; then
  echo "spark: installing Debian's default-jre-headless" >&2
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null ||
    { echo "spark: there is no java on PATH and apt-get could not install it" >&2; exit 1; }
fi
PYTHONPATH=$(scripts/python.sh requirements-spark.txt)
export PYTHONPATH
"${PYTHON:-python3}" -B scripts/check_spark.py "$exe"
