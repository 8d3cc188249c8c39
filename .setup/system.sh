#!/bin/sh
# Install the system libraries that wheels do not carry (an OpenGL driver), where we may;
# otherwise say exactly what to type. $1 is the Python that will look for them.
set -u
python=$1

missing() {
    "$python" - <<'PY'
import ctypes, sys
if sys.platform != "linux":
    sys.exit(1)
for name in ("libEGL.so.1", "libGL.so.1"):
    try:
        ctypes.CDLL(name)
    except OSError:
        sys.exit(0)
sys.exit(1)
PY
}

missing || exit 0
if command -v apt-get >/dev/null 2>&1; then
    packages="libegl1 libgl1 libgl1-mesa-dri"
    install="apt-get install -y --no-install-recommends $packages"
    before="apt-get update"
elif command -v dnf >/dev/null 2>&1; then
    install="dnf install -y mesa-libEGL mesa-libGL mesa-dri-drivers"
    before="true"
else
    echo "No OpenGL driver was found. Install Mesa's EGL and GL libraries with your package manager." >&2
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    as=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as="sudo -n"
else
    echo "No OpenGL driver was found, and installing one needs rights this account does not have. Type:" >&2
    echo "    sudo sh -c '$before && $install'" >&2
    exit 0
fi
echo "Installing an OpenGL driver: $install"
# shellcheck disable=SC2086
if ! { DEBIAN_FRONTEND=noninteractive $as $before && DEBIAN_FRONTEND=noninteractive $as $install; } >/dev/null 2>&1; then
    echo "That failed. Type:" >&2
    echo "    sudo sh -c '$before && $install'" >&2
fi
