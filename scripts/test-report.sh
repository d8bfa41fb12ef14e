#!/usr/bin/env bash
# Opens pages of `emospan report` in Debian's headless Chromium, which it installs where there is none: one of 100,000 records
# beside a reference, and one of hostile records. SCREENSHOT=FILE also takes a picture of a page on the demo's output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v chromium >/dev/null; then
  echo "report: installing Debian's chromium" >&2
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null ||
    { echo "report: there is no chromium on PATH and apt-get could not install it" >&2; exit 1; }
fi
PYTHONPATH=$(scripts/python.sh requirements-report.txt)
export PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${GO:-go}" test ./report -count=1 -run '^TestWriteSynthetic$' -report.write "$work" -report.records 100000 >/dev/null
"${PYTHON:-python3}" -B scripts/check_report.py bin/emospan "$work" ${SCREENSHOT:+--screenshot "$SCREENSHOT"}
