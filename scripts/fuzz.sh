#!/usr/bin/env bash
# libFuzzer (clang, with ASan and UBSan) on the C++ core: scripts/fuzz.sh [seconds, default 60] [libFuzzer options …]
set -eu -o pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
out=build-fuzz
{
  cmake -S . -B $out -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++ -DRNN_FUZZ=ON
  cmake --build $out --parallel "$(nproc)"
} >$out.log 2>&1 || { tail -40 $out.log; exit 1; }
mkdir -p $out/corpus
ASAN_OPTIONS=allocator_may_return_null=1 $out/fuzz-core -max_total_time="$seconds" -max_len=512 -len_control=0 -entropic=0 -timeout=20 \
  -print_final_stats=1 -artifact_prefix=$out/ "$@" $out/corpus 2>&1 | grep -v '^#\|^"' | tail -n 40
