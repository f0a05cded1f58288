#!/usr/bin/env bash
# The C++ units without Node: builds test/native/*_test.cpp with the core and runs them by ctest: scripts/test-native.sh [ctest options …]
set -eu
cd "$(dirname "$0")/.."
out=build-units
{
  cmake -S . -B $out -DRNN_TESTS=ON -DCMAKE_BUILD_TYPE=Release
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
exec ctest --test-dir $out --output-on-failure --no-tests=error "$@"
