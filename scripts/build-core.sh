#!/usr/bin/env bash
# Builds what tests the C++ core without Node, and prints the folder that it is in: scripts/build-core.sh
set -eu
cd "$(dirname "$0")/.."
out=build-core
{
  cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DRNN_TESTS=ON
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log >&2; exit 1; }
echo $out
