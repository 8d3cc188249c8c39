#!/bin/sh
# Install the Khronos glTF validator for the tests, where npm is there to do it. $1 is the virtual environment.
set -u
home=$1/node
if [ -d "$home/node_modules/gltf-validator" ] || ! command -v npm >/dev/null 2>&1; then
    exit 0
fi
npm install --silent --no-save --prefix "$home" gltf-validator@2.0.0-dev.3.10 >/dev/null 2>&1 ||
    echo "The glTF validator could not be installed; the tests that use it are skipped." >&2
