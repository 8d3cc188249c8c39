#!/bin/sh
# Make the virtual environment $1 and install every distribution of this repository into it, pinned.
set -eu
venv=$1
shift

find_python() {
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Kinetoscope needs Python 3.11, 3.12 or 3.13 with venv." >&2
    echo "Debian, Ubuntu:  sudo apt-get install python3 python3-venv" >&2
    echo "Fedora:          sudo dnf install python3" >&2
    echo "macOS:           brew install python@3.12" >&2
    echo "Or name one:     make PYTHON=/path/to/python3.12 setup" >&2
    exit 1
}

if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python)
    echo "Creating $venv with $("$python" --version)"
    "$python" -m venv "$venv"
fi

# All local paths in one call: pip then resolves our own names among them and not on an index.
set -- "$@"
editable=""
for package in "$@"; do
    editable="$editable -e ./$package"
done
echo "Installing Kinetoscope and what it needs (PyTorch alone may take some minutes)"
# shellcheck disable=SC2086  # the words of $editable are meant to be split
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint .setup/constraints.txt $editable -e './spec[fast,contracts]' -e '.[dev]'

# What judges how a watermark sounds comes as source: without a C compiler its one test is skipped, and says so.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint .setup/constraints.txt pesq || echo "PESQ could not be built (no C compiler?); its test will be skipped"
