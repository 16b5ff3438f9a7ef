#!/bin/sh
# environment.sh PYTHON FOLDER REQUIREMENTS: a virtual environment with exactly what is locked,
# and gesturectl itself, editable.
set -eu
python=$1
folder=$2
requirements=$3

if ! "$folder/bin/python" -c 'import pip' 2>/dev/null; then
    echo "Making $folder with $("$python" --version)" >&2
    rm -rf "$folder"
    if ! "$python" -m venv "$folder"; then
        rm -rf "$folder"
        echo "$python cannot make a virtual environment; see above, then run make again" >&2
        exit 1
    fi
fi
pip() {
    "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@"
}
echo "Installing $requirements" >&2
# Wheels only, for nobody should have to compile; xcffib, pure Python, is published as source. The
# lock is complete but for what overrides.txt leaves out, so pip need not look for dependencies.
pip install --no-deps --require-hashes --only-binary=:all: --no-binary=xcffib \
    --requirement "$requirements"
said=$(pip install --no-deps --no-build-isolation --editable . 2>&1) || {
    echo "$said" >&2
    exit 1
}
