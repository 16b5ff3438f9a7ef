"""`python -m gesturectl.display`: the display alone, beside a daemon that runs, for trying it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from gesturectl import config
from gesturectl.control.line import open_line
from gesturectl.display.driving import show
from gesturectl.errors import GesturectlError


async def beside() -> None:
    """Show what the daemon tells, until it ends."""
    async with open_line() as line:
        showing = asyncio.create_task(show(line, config.load()))
        try:
            await line.attend()
        finally:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing


def main() -> None:
    """Run it; Ctrl-C ends it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(beside())
    except GesturectlError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
