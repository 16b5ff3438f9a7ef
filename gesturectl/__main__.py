"""`python -m gesturectl`: the command line, for whoever starts us by the interpreter."""

from __future__ import annotations

from gesturectl.cli import main

if __name__ == "__main__":
    main()
