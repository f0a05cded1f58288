#!/usr/bin/env bash
# A fresh checkout, twice: built with no network at all, and used on a machine without cmake and compiler.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$work" 2>/dev/null || true # a file deleted but not yet committed is no matter
cd "$work"
export CCACHE_BASEDIR=$work # of a compiler cache, where one is used
unset CI NATIVE_RNN_BACKEND NATIVE_RNN_PATH npm_config_nodedir
say() { echo "checkout: $*"; }

# 1. npm ci with cmake and every compiler hidden: one line says so, and the demo runs on TypeScript.
hidden=$work/.bin-without-compilers
mkdir "$hidden"
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
  for file in "$folder"/*; do
    case ${file##*/} in *cmake* | *g++* | *gcc* | c++* | cc | *clang* | c89* | c99*) continue ;; esac
    [ -x "$file" ] && [ ! -e "$hidden/${file##*/}" ] && ln -s "$file" "$hidden/${file##*/}"
  done
done
PATH=$hidden npm ci --prefer-offline --no-audit --no-fund >ci.log 2>&1 || { head -12 ci.log; say "npm ci failed without a compiler"; exit 1; }
lines=$(grep -c '^native-rnn: no native build' ci.log || true)
[ "$lines" = 1 ] || { cat ci.log; say "wanted one line about the missing compiler, got $lines"; exit 1; }
PATH=$hidden npm run demo >demo.log 2>&1 || { tail -30 demo.log; say "npm run demo failed without a compiler"; exit 1; }
reasons=$(grep -c 'there is no such file' demo.log || true)
[ "$reasons" = 1 ] || { cat demo.log; say "wanted the reason for TypeScript once in the demo, got it $reasons times"; exit 1; }
say "without a compiler: npm ci says '$(grep '^native-rnn: no native build' ci.log)'"
say "the demo runs on TypeScript and says once: '$(grep 'there is no such file' demo.log)'"

# 2. With the compiler and no network: cmake-js finds the headers in node_modules.
offline=(unshare --net)
"${offline[@]}" true 2>/dev/null || offline=(unshare --map-root-user --net)
if "${offline[@]}" true 2>/dev/null; then
  "${offline[@]}" npm run --silent prepare
  [ -f build/Release/native-rnn.node ] || { say "no addon after prepare without a network"; exit 1; }
  say "built with no network: $(stat -c %s build/Release/native-rnn.node) bytes"
else
  say "no right to cut the network here: that half was not run"
fi
