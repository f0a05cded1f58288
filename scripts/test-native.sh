#!/usr/bin/env bash
# The C++ units without Node, test/native/*_test.cpp, by ctest: scripts/test-native.sh [ctest options …]
set -eu
cd "$(dirname "$0")/.."
out=$(scripts/build-core.sh)
exec ctest --test-dir "$out" --output-on-failure --no-tests=error "$@"
