#!/usr/bin/env bash
# The C++ units on musl, without Alpine: static programs by Debian's g++ and musl. `scripts/test-musl.sh [ctest options …]`
# (Debian, x86-64: g++ musl-tools gcc-12-source; the C++ runtime is built once, which takes minutes, so this is no part of .ci/run.)
set -eu
cd "$(dirname "$0")/.."
scripts/build-musl-runtime.sh
out=build-musl/units
{
  cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/x86_64-musl.cmake" -DRNN_TESTS=ON &&
    cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
exec ctest --test-dir $out --output-on-failure --no-tests=error "$@"
