#!/usr/bin/env bash
# Installs the Python packages that the tests read emospan's output with into the cache, once for each list, and prints the
# folder to put on PYTHONPATH. They lie in a folder of their own, so nothing of the user's Python changes. An argument names
# another list of this folder.
set -euo pipefail
list=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/${1:-requirements.txt}
python=${PYTHON:-python3}
cache=${EMOSPAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/emospan}
key=$({ cat "$list"; "$python" -c 'import sys; print(sys.version)'; } | sha256sum | cut -c1-16)
dest=$cache/python/$key
if [ ! -d "$dest" ]; then
  mkdir -p "$cache/python" "$cache/lock"
  (
    flock 9
    [ -d "$dest" ] && exit 0
    tmp=$cache/python/tmp-$key
    rm -rf "$tmp"
    trap 'rm -rf "$tmp"' EXIT
    echo "python: installing $(grep -v '^#' "$list" | tr '\n' ' ')for the tests" >&2
    # pip also complains of packages outside the folder, which are none of its business here: shown only where it fails.
    "$python" -m pip install --disable-pip-version-check --target "$tmp" -r "$list" >"$cache/lock/pip-$key.log" 2>&1 ||
      { tail -n 5 "$cache/lock/pip-$key.log" >&2; echo "python: pip could not install what $list names" >&2; exit 1; }
    mv -T "$tmp" "$dest"
  ) 9>"$cache/lock/python-$key"
fi
echo "$dest"
