#!/bin/sh
# Print the Python to use: the newest from 3.11 on that can make a virtual environment; if none
# can, the newest all the same (Debian keeps `venv` in a package of its own: system-packages.sh).
suitable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'
fallback=
for name in python3.14 python3.13 python3.12 python3.11 python3; do
    "$name" -c "$suitable" 2>/dev/null || continue
    if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$name"
        exit
    fi
    fallback=${fallback:-$name}
done
if [ -z "$fallback" ]; then
    echo "gesturectl needs Python 3.11, 3.12, 3.13 or 3.14, and none of them is on the PATH." >&2
    echo "On Debian and Ubuntu: apt install python3 python3-venv. Or: make PYTHON=/path/to/python" >&2
    exit 1
fi
echo "$fallback"
