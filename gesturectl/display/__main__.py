"""`python -m gesturectl.display`: the display alone, beside a daemon that runs, for trying it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from gesturectl import config
from gesturectl.control import place, wire
from gesturectl.display.driving import Driver
from gesturectl.errors import GesturectlError

TIMEOUT_S = 10.0


async def show() -> None:
    """Show what the daemon tells, until it ends."""
    line = place.connect(timeout_s=TIMEOUT_S)
    line.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=line)
    writer.write(wire.asking("show", True))
    with contextlib.closing(Driver(config.load())) as driver:
        async for told in reader:
            row = wire.decode(told)
            driver.hear(row.get("show", row))


def main() -> None:
    """Run it; Ctrl-C ends it."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(show())
    except GesturectlError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
