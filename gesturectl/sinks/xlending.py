"""Lend free keycodes to keysyms that the layout lacks (F13, `z` in a Russian layout, `你`).

    bind 97 → 你      press 97      release 97      …      bind 97 → nothing, on close

A client looks a key up when it gets round to the event, so a binding must outlive its last key
press for a while: it stays until close, or until the keycode is needed again, `SETTLE_S` later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gesturectl.errors import SinkError
from gesturectl.sinks.guardian import Guardian
from gesturectl.sinks.xdisplay import XDisplay

# Measured with lines of 60 Chinese characters on two cores at load 5: after 0.05 s xterm got 2 of
# 12 lines wrong, after 0.1 s none; Chromium none either. Twice that, for slower machines.
SETTLE_S = 0.2


@dataclass(frozen=True, slots=True)
class Loan:
    """What a keycode is bound to, and when it was last pressed (by `time.monotonic`)."""

    keysym: int
    used_s: float


class Lending:
    """Keeps account of the keycodes lent on one display; `busy` tells which of them are down."""

    def __init__(self, display: XDisplay, guardian: Guardian, busy: Callable[[int], bool]) -> None:
        self._display = display
        self._guardian = guardian
        self._busy = busy
        self._loans: dict[int, Loan] = {}  # by keycode, the longest unused first

    @property
    def room(self) -> int:
        """How many keysyms can be lent a keycode at the same time, those that have one included."""
        idle = sum(not self._busy(keycode) for keycode in self._loans)
        return len(self._display.keymap().spare) + idle

    def lent(self, keycode: int) -> bool:
        """Whether a keycode is lent; if so, note that it is used now."""
        loan = self._loans.pop(keycode, None)
        if loan is not None:
            self._loans[keycode] = Loan(loan.keysym, time.monotonic())
        return loan is not None

    def lend(self, keysyms: Iterable[int]) -> None:
        """Bind a keycode to each keysym, taking back those unused for longest if need be.

        Raises:
            SinkError: all keycodes are down.
        """
        self._forget_lost()
        spare = list(self._display.keymap().spare)
        bindings = {spare.pop() if spare else self._take_back(): keysym for keysym in keysyms}
        self._guardian.hold(*(f"map {keycode}" for keycode in bindings))
        self._display.bind(bindings)
        for keycode, keysym in bindings.items():
            self._loans[keycode] = Loan(keysym, time.monotonic())

    def end(self) -> None:
        """Unbind all, once no client looks the last one up any more."""
        self._forget_lost()
        self._settle(max((loan.used_s for loan in self._loans.values()), default=0.0))
        self._display.bind(dict.fromkeys(self._loans, 0))
        self._loans.clear()

    def _take_back(self) -> int:
        keycode = next((code for code in self._loans if not self._busy(code)), None)
        if keycode is None:
            raise SinkError("the keyboard layout has no free keycode left; release some keys first")
        self._settle(self._loans.pop(keycode).used_s)
        return keycode

    def _settle(self, used_s: float) -> None:
        self._display.flush()
        time.sleep(max(0.0, used_s + SETTLE_S - time.monotonic()))

    def _forget_lost(self) -> None:
        """Forget bindings that a new layout has wiped, whose keycodes it may use itself."""
        places = self._display.keymap().places
        for keycode, loan in [*self._loans.items()]:
            if all(place.keycode != keycode for place in places.get(loan.keysym, ())):
                del self._loans[keycode]
                self._guardian.free(f"map {keycode}")
