#!/usr/bin/env bash
# The second source build: node-gyp from native/binding.gyp, without CMake and without a network where the machine
# allows to cut it; the addon it makes must load and give the bits of the first one's.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r package.json native scripts dist "$work"
rm -rf "$work/native/build"
ln -s "$PWD/node_modules" "$work/node_modules"
cut=(unshare --net)
"${cut[@]}" true 2>/dev/null || cut=(unshare --map-root-user --net)
"${cut[@]}" true 2>/dev/null || { cut=(); echo "node-gyp: no right to cut the network here"; }
env -u npm_config_nodedir "${cut[@]}" node "$work/scripts/build-gyp.mjs" >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }
node scripts/check-addon.mjs "$work/build/Release/native-rnn.node"
bits='import("native-rnn").then(({ LSTM, Tensor, backendInfo }) => {
  const { output } = new LSTM(19, 37, { seed: 7 }).forward(new Tensor(Float32Array.from({ length: 190 }, (_, i) => Math.sin(i)), [10, 19]))
  console.log(backendInfo().name, Buffer.from(output.data.buffer).toString("base64").slice(-64))
})'
cmake=$(node -e "$bits")
gyp=$(NATIVE_RNN_PATH=$work/build/Release/native-rnn.node node -e "$bits")
echo "cmake-js: $cmake"
echo "node-gyp: $gyp"
[ "$cmake" = "$gyp" ]
