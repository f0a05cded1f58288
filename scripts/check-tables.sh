#!/usr/bin/env bash
# The ISA tables against each other without Node, by test/native/tables.cpp: scripts/check-tables.sh [cases, default 500] [sanitizer]
set -eu
cd "$(dirname "$0")/.."
out=$(scripts/build-core.sh ${2:+"$2"})
exec "$out/tables" "${1:-500}"
