#!/usr/bin/env bash
# Builds the addon with sanitizers and with allocations that fail on request (test/native/faults.cpp), then fails
# each one of every scenario in turn: scripts/faults.sh [--long] [scenario …]
set -eu
cd "$(dirname "$0")/.."
built=$(scripts/build-sanitized.sh address,undefined native-rnn-faults)

export NATIVE_RNN_PATH=$PWD/${built%%$'\n'*}/Release/native-rnn-faults.node
export RNN_FAULTS_PRELOAD=${built##*$'\n'}
export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:exitcode=99:allocator_may_return_null=1:allow_addr2line=1
unset NATIVE_RNN_BACKEND
exec node test/stress/faults/run.mjs "$@"
