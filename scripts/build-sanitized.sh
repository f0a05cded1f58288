#!/usr/bin/env bash
# Builds the addon with sanitizers: scripts/build-sanitized.sh <sanitizers> [target …]. Prints the folder that it is in, and on a second line the
# library that a stock Node must preload. Address and undefined together are compiled by clang where there is one, and instrumented for
# the fuzzer: the addon, that of scripts/faults.sh and the fuzzer's harnesses are targets of one build, since the kernels take minutes.
set -eu
cd "$(dirname "$0")/.."
kind=$1
shift
[ $# -gt 0 ] || set -- native-rnn
out=build-${kind//,/-} options=(--CDRNN_SANITIZE="$kind") library=
case $kind in
  address*) library=$(gcc -print-file-name=libasan.so) ;;
  undefined) library=$(gcc -print-file-name=libubsan.so) ;;
  thread) library=$(gcc -print-file-name=libtsan.so) ;;
esac
if [ "$kind" = address,undefined ] && command -v clang++ >/dev/null; then
  out=build-fuzzed
  options+=(--CDRNN_FUZZ=ON --CDCMAKE_CXX_COMPILER=clang++)
  for name in "libclang_rt.asan-$(uname -m).so" libclang_rt.asan.so; do
    library=$(clang++ -print-file-name="$name")
    [ ! -f "$library" ] || break
  done
fi
{
  flock 9 # two checks may want the same build
  [ -f "$out/CMakeCache.txt" ] || node node_modules/cmake-js/bin/cmake-js configure --out "$out" "${options[@]}"
  cmake --build "$out" --parallel "$(nproc)" --target "$@"
} >"$out.log" 2>&1 9>"$out.lock" || { tail -40 "$out.log" >&2; exit 1; }
echo "$out"
echo "$library"
