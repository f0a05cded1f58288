#!/usr/bin/env bash
# The ISA tables against each other without Node, by test/native/tables.cpp: scripts/check-tables.sh [cases, default 500] [sanitizers]
set -eu
cd "$(dirname "$0")/.."
if [ $# -gt 1 ]; then
  built=$(scripts/build-sanitized.sh "$2" tables)
else
  built=$(scripts/build-core.sh)
fi
exec "${built%%$'\n'*}/tables" "${1:-500}"
