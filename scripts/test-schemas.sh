#!/usr/bin/env bash
# Turns each JSON Schema of a folder into a grammar and holds the grammar against the values that come with the schema and
# against another validator. Without an argument the folder is the project's own.
set -euo pipefail
folder=${1:-}
if [ -n "$folder" ]; then
  [ -d "$folder" ] || { echo "test-schemas: no folder $folder; SCHEMAS names one with *.json" >&2; exit 1; }
  folder=$(cd "$folder" && pwd)
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${folder:-$PWD/grammar/testdata/schemas}
packages=$(scripts/python.sh requirements-schemas.txt)
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"${GO:-go}" test ./grammar -count=1 -timeout 60m -run '^TestSchemaFolder$' -schemas.folder="$folder" -schemas.texts="${TEXTS:-20}" -schemas.report="$report" >"$report.log" ||
  { cat "$report.log" >&2; rm -f "$report.log"; exit 1; }
rm -f "$report.log"
PYTHONPATH="$packages" "${PYTHON:-python3}" -B scripts/check_schemas.py "$report"
