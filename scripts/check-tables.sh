#!/usr/bin/env bash
# The ISA tables without Node: builds the C++ core with test/native/tables.cpp and runs it: scripts/check-tables.sh [cases, default 500] [sanitizer]
set -eu
cd "$(dirname "$0")/.."
out=build-tables${2:+-$2}
{
  cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DRNN_TABLES=ON -DRNN_SANITIZE="${2:-}"
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
exec $out/tables "${1:-500}"
