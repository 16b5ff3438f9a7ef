"""`python -m gesturectl.display`: the display alone, beside a daemon that runs, for trying it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from gesturectl import config
from gesturectl.companion import accompany
from gesturectl.display.driving import show
from gesturectl.errors import GesturectlError


def main() -> None:
    """Show what the daemon tells, until it ends."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(accompany({"display": show}, config.load()))
    except GesturectlError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
