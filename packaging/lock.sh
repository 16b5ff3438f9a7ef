#!/bin/sh
# Write requirements/*.txt: every package that an environment of ours may hold, pinned and hashed,
# for all Pythons and platforms at once. What is pinned stays, unless --upgrade is given.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || echo .venv/bin/uv)
if [ ! -x "$uv" ]; then
    [ -x .venv/bin/python ] || { echo "no uv and no .venv: run \`make test\` once" >&2; exit 1; }
    .venv/bin/python -m pip install --quiet uv
fi

compile() {
    output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" \
        --constraint packaging/constraints.txt --override packaging/overrides.txt \
        --output-file "$output" pyproject.toml "$@"
}

compile requirements/run.txt --group build "$@"
compile requirements/test.txt --group build --group dev --extra mqtt --extra osc --extra pynput --extra train --extra tray "$@"
