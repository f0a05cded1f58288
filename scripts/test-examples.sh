#!/usr/bin/env bash
# Installs the packages of the examples that have some, as their lock files say, fetches models, and runs their tests. Wants redis-server and haproxy on
# PATH, and for the pages of browser and voice Debian's chromium.
set -eu
cd "$(dirname "$0")/.."
installs=()
for example in server fleet vad voice; do
  npm ci --prefix "examples/$example" --ignore-scripts --no-audit --no-fund &
  installs+=($!)
done
for install in "${installs[@]}"; do wait "$install"; done
node scripts/fetch-models.mjs
npx vitest run --root . --config test/services/vitest.config.ts "$@"
