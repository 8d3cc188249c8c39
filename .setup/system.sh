#!/bin/sh
# Install the system libraries and programs that wheels do not carry (an OpenGL driver, a browser for the
# tests of pages), where we may; otherwise say exactly what to type. $1 is the Python that will look for them.
set -u
python=$1

no_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v "$name" >/dev/null 2>&1; then
            return 1
        fi
    done
    [ "$(uname -s)" = Linux ]
}

no_driver() {
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

what="" debian="" fedora=""
if no_driver; then
    what="an OpenGL driver" debian="libegl1 libgl1 libgl1-mesa-dri" fedora="mesa-libEGL mesa-libGL mesa-dri-drivers"
fi
if no_browser; then
    what="${what:+$what and }Chromium" debian="$debian chromium" fedora="$fedora chromium"
fi
# Optional: without it the one test that opens a window is skipped where there is no display.
if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && ! command -v Xvfb >/dev/null 2>&1; then
    what="${what:+$what and }Xvfb" debian="$debian xvfb" fedora="$fedora xorg-x11-server-Xvfb"
fi
[ -n "$what" ] || exit 0
if command -v apt-get >/dev/null 2>&1; then
    install="apt-get install -y --no-install-recommends $debian"
    before="apt-get update"
elif command -v dnf >/dev/null 2>&1; then
    install="dnf install -y $fedora"
    before="true"
else
    echo "Not found: $what. Install Mesa's EGL and GL libraries and Chromium with your package manager." >&2
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    as=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as="sudo -n"
else
    echo "Not found: $what; installing needs rights this account does not have. Type:" >&2
    echo "    sudo sh -c '$before && $install'" >&2
    exit 0
fi
echo "Installing $what: $install"
# shellcheck disable=SC2086
if ! { DEBIAN_FRONTEND=noninteractive $as $before && DEBIAN_FRONTEND=noninteractive $as $install; } >/dev/null 2>&1; then
    echo "That failed. Type:" >&2
    echo "    sudo sh -c '$before && $install'" >&2
fi
