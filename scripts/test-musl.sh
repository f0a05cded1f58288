#!/usr/bin/env bash
# musl, without Alpine: the C++ units as static programs by Debian's g++ and musl; then the addon that is published, of g++ and glibc, in Bun for
# musl: the suites that Bun can run, and the packed package. `scripts/test-musl.sh [units [ctest options …] | addon [test files …] | package]`
# (Debian, x86-64: g++ musl-tools gcc-12-source; the C++ runtime is built once, which takes minutes, so this is no part of .ci/run.)
set -eu
cd "$(dirname "$0")/.."
part=${1:-all}
shift $(($# > 0))
scripts/build-musl-runtime.sh
libraries=$PWD/build-musl/runtime/shared

units() {
  local out=build-musl/units
  {
    cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/x86_64-musl.cmake" -DRNN_TESTS=ON &&
      cmake --build $out --parallel "$(nproc)"
  } >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
  ctest --test-dir $out --output-on-failure --no-tests=error "$@"
}

prepare() {
  npm run --silent prebuild -- --host-only
  [ -e dist/index.js ] || npm run --silent build:ts
  bun=$(node scripts/bun-musl.mjs)
}

addon() {
  LD_LIBRARY_PATH=$libraries NATIVE_RNN_PATH=$PWD/prebuilds/linux-x64.node NATIVE_RNN_TESTED=native NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-40} \
    "$bun" test/support/plain/run.mjs "$@"
}

package() { node test/package/musl.mjs "$bun" "$libraries"; }

case $part in
  units) units "$@" ;;
  addon) prepare && addon "$@" ;;
  package) prepare && package ;;
  all) units && prepare && addon && package ;;
  *) echo "units, addon or package, not $part" && exit 1 ;;
esac
