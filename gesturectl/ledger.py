"""What is held: every press is noted, so that every press can be released.

A key is held or it is not; presses are not counted. A second press of a held key changes nothing,
one release lets it go, and a release of what is not held changes nothing either:

    command     down A   down A   up A   up A
    then A is   held     held     free   free
    note()      True     False    True   False
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gesturectl.types import ButtonDown, ButtonUp, Command, KeyDown, KeyUp


@dataclass(slots=True)
class Ledger:
    """Notes presses and releases, and knows what must be released.

    >>> ledger = Ledger()
    >>> ledger.note(KeyDown(0, "ctrl")), ledger.note(KeyDown(1, "ctrl"))
    (True, False)
    >>> ledger.release(2)
    (KeyUp(t_us=2, key='ctrl'),)
    """

    # What would let go of each thing held, at time 0; a dict because it keeps the order.
    _ups: dict[KeyUp | ButtonUp, None] = field(default_factory=dict)

    def note(self, command: Command) -> bool:
        """Note one command; return whether it changes anything, and so deserves to be sent.

        True for every command that neither presses nor releases.
        """
        match command:
            case KeyDown(key=key):
                return self._press(KeyUp(0, key))
            case ButtonDown(button=button):
                return self._press(ButtonUp(0, button))
            case KeyUp() | ButtonUp():
                return self._let_go(replace(command, t_us=0))
            case _:
                return True

    def forget(self, command: Command) -> None:
        """Take back the note of a press that could not be sent."""
        match command:
            case KeyDown(key=key):
                self._let_go(KeyUp(0, key))
            case ButtonDown(button=button):
                self._let_go(ButtonUp(0, button))

    @property
    def held(self) -> tuple[str, ...]:
        """The names of the keys and buttons that are down, oldest first."""
        return tuple(up.key if isinstance(up, KeyUp) else up.button for up in self._ups)

    def release(self, t_us: int) -> tuple[Command, ...]:
        """Return what lets go of all that is held, newest first, and forget it."""
        ups = tuple(replace(up, t_us=t_us) for up in reversed(self._ups))
        self._ups.clear()
        return ups

    def _press(self, up: KeyUp | ButtonUp) -> bool:
        if up in self._ups:
            return False
        self._ups[up] = None
        return True

    def _let_go(self, up: KeyUp | ButtonUp) -> bool:
        if up not in self._ups:
            return False
        del self._ups[up]
        return True
