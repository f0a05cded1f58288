#!/usr/bin/env bash
# libFuzzer (clang, with ASan and UBSan) on the C++ core: networks for two thirds of the time, programs of operators for the rest.
# scripts/fuzz.sh [seconds, default 60] [libFuzzer options …]
set -eu -o pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
command -v clang++ >/dev/null || { echo "libFuzzer comes with clang" >&2; exit 1; }
built=$(scripts/build-sanitized.sh address,undefined fuzz fuzz_programs)
out=${built%%$'\n'*}

# target <name> <seconds> [libFuzzer options …]
target() {
  local name=$1 time=$2
  shift 2
  mkdir -p "$out/corpus-$name"
  ASAN_OPTIONS=allocator_may_return_null=1 "$out/$name" -max_total_time="$time" -max_len=512 -len_control=0 -entropic=0 \
    -timeout=20 -print_funcs=0 -print_final_stats=1 -artifact_prefix=$out/ "$@" "$out/corpus-$name" 2>&1 | grep -v '^#\|^"' | tail -n 40
}
target fuzz $((seconds - seconds / 3)) "$@"
target fuzz_programs $((seconds / 3)) "$@"
