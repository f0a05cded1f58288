#!/usr/bin/env bash
# Builds the addon with one sanitizer and runs the native suite on it under a stock Node:
# scripts/sanitize.sh address|undefined|thread [test files …]
set -eu
cd "$(dirname "$0")/.."
kind=${1:?address, undefined or thread}
shift
out=build-$kind
node node_modules/cmake-js/bin/cmake-js build --out "$out" --parallel "$(nproc)" --CDRNN_SANITIZE="$kind" >"$out.log" 2>&1 ||
  { tail -40 "$out.log"; exit 1; }

export NATIVE_RNN_PATH=$PWD/$out/Release/native-rnn.node
run=()
case $kind in
  address)
    export LD_PRELOAD; LD_PRELOAD=$(gcc -print-file-name=libasan.so)
    export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:exitcode=99:alloc_dealloc_mismatch=0:allocator_may_return_null=1
    export LSAN_OPTIONS=suppressions=$PWD/scripts/lsan.supp:print_suppressions=0
    ;;
  thread)
    export LD_PRELOAD; LD_PRELOAD=$(gcc -print-file-name=libtsan.so)
    export TSAN_OPTIONS=halt_on_error=1:exitcode=99:suppressions=$PWD/scripts/tsan.supp:report_signal_unsafe=0
    # Its shadow memory wants the usual address layout.
    run=(setarch "$(uname -m)" -R)
    ;;
  undefined)
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
    ;;
esac
