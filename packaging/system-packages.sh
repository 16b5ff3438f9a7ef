#!/bin/sh
# Install through apt what pip cannot bring.
#
#   system-packages.sh run PYTHON    the shared libraries that OpenCV and MediaPipe load
#   system-packages.sh test PYTHON   and the programs of the tests: an X server, a browser, …
#
# It asks only for what is missing. Where it may not install (no apt, no root, no password-free
# sudo) it says what to install, and ends well: what is missing says so again where it is needed.
set -u
kind=$1
python=$2

missing=

# lib SONAME PACKAGE, program NAME PACKAGE: note the package when the thing is not there.
lib() {
    "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null \
        || missing="$missing $2"
}
program() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

"$python" -c 'import ensurepip, venv' 2>/dev/null \
    || missing="$missing $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
lib libGL.so.1 libgl1
lib libEGL.so.1 libegl1
lib libGLESv2.so.2 libgles2
lib libgthread-2.0.so.0 libglib2.0-0
lib libxcb.so.1 libxcb1
if [ "$kind" = test ]; then
    program Xvfb xvfb
    program openbox openbox
    program xcompmgr xcompmgr
    program xterm xterm
    program xdotool xdotool
    program xprop x11-utils
    program xset x11-xserver-utils
    program setxkbmap x11-xkb-utils
    program strace strace
    program dbus-daemon dbus
    program systemd-analyze systemd
    program xfce4-panel xfce4-panel
    program waybar waybar
    program /usr/libexec/xdg-desktop-portal xdg-desktop-portal
    program sway sway
    program grim grim
    program foot foot
    program setpriv util-linux
    program chromium chromium
    program mpv mpv
fi
[ -n "$missing" ] || exit 0

tell() {
    echo
    echo "Not installed:$missing"
    echo "$1"
    echo
} >&2

if ! command -v apt-get >/dev/null 2>&1; then
    tell "This system has no apt: install what corresponds to these Debian packages."
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=env
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    tell "Install with:  sudo apt-get install$missing"
    exit 0
fi
apt() {
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

# Ubuntu's chromium is a package that only fetches a snap, which containers cannot run.
is_snap() {
    ! apt-cache show "$1" 2>/dev/null | grep -q '^Package:' \
        || apt-cache show "$1" 2>/dev/null | grep -qi 'snap'
}

echo "Installing through apt:$missing" >&2
apt update || echo "apt cannot refresh its lists (no network?); trying with those at hand" >&2
wanted=
left=
for package in $missing; do
    if [ "$package" = chromium ] && is_snap chromium; then
        { command -v snap >/dev/null 2>&1 && $as_root snap install chromium >/dev/null 2>&1; } \
            || left="$left chromium"
    else
        wanted="$wanted $package"
    fi
done
# All at once is quick; one that cannot be had must not keep the others out.
# shellcheck disable=SC2086  # a list of words
if [ -n "$wanted" ] && ! apt install --no-install-recommends $wanted; then
    for package in $wanted; do
        apt install --no-install-recommends "$package" || left="$left $package"
    done
fi
[ -z "$left" ] && exit 0
missing=$left
case $left in
    *chromium*) tell "Chromium is a snap here: run \`snap install chromium\` where snaps can run. \
Without it the tests that drive a browser are skipped." ;;
    *) tell "apt could not install these; see the messages above." ;;
esac
