#!/usr/bin/env bash
# Builds the addon with sanitizers, and prints the folder that it is in: scripts/build-sanitized.sh <sanitizers> [target]
set -eu
cd "$(dirname "$0")/.."
out=build-${1//,/-}
{
  flock 9 # two checks may want the same build
  node node_modules/cmake-js/bin/cmake-js build --out "$out" --parallel "$(nproc)" --CDRNN_SANITIZE="$1" &&
    if [ $# -gt 1 ]; then cmake --build "$out" --target "$2"; fi
} >"$out.log" 2>&1 9>"$out.lock" || { tail -40 "$out.log" >&2; exit 1; }
echo "$out"
