#!/usr/bin/env bash
# Installs the packages of the examples that are servers, as their lock files say, and runs their tests. Wants redis-server on PATH.
set -eu
cd "$(dirname "$0")/.."
for example in server fleet; do
  npm ci --prefix "examples/$example" --ignore-scripts --no-audit --no-fund
done
npx vitest run --root . --config test/services/vitest.config.ts "$@"
