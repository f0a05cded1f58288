#!/usr/bin/env bash
# Builds the addon with AddressSanitizer and with allocations that fail on request (test/native/faults.cpp), then fails
# each one of every scenario in turn: scripts/faults.sh [--long] [scenario …]
set -eu
cd "$(dirname "$0")/.."
out=build-faults
wrapped=(malloc free _Znwm _Znam _ZdlPvm _ZdlPv _ZdaPv pthread_create napi_create_function napi_add_finalizer
  napi_create_reference napi_define_properties napi_set_instance_data napi_add_env_cleanup_hook
  napi_create_threadsafe_function)
mkdir -p $out
{
  g++ -std=c++17 -O1 -fPIC -DNAPI_VERSION=9 -Inode_modules/node-api-headers/include -c test/native/faults.cpp -o $out/faults.o
  cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DRNN_SANITIZE=address \
    -DCMAKE_SHARED_LINKER_FLAGS="$PWD/$out/faults.o ${wrapped[*]/#/-Wl,--wrap=}"
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }

export NATIVE_RNN_PATH=$PWD/$out/native-rnn.node
export RNN_FAULTS_PRELOAD=$(gcc -print-file-name=libasan.so)
export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:exitcode=99:allocator_may_return_null=1
unset NATIVE_RNN_BACKEND
exec node test/stress/faults/run.mjs "$@"
