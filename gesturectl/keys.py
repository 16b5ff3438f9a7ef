"""Key names: what a profile may write, and what each platform calls it.

`KEYS` is the one table: name → `Key`. It parses names, suggests the nearest right one, tells the
sinks what to send, and prints its own reference. Beyond the table every single character of any
script is the name of the key that types it: `ä`, `я`, `你`.

Names of single characters are case-sensitive (`A` is shift and `a`); all others are not.
"""

from __future__ import annotations

import contextlib
import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gesturectl.errors import UsageError

Group = Literal[
    "modifier", "navigation", "editing", "function", "keypad", "punctuation", "media", "system"
]
GROUPS: dict[Group | Literal["character"], str] = {
    "modifier": "Modifiers",
    "navigation": "Moving around",
    "editing": "Editing",
    "function": "Function keys",
    "keypad": "Keypad",
    "punctuation": "Punctuation, by name or by character",
    "media": "Media and brightness",
    "system": "System",
    "character": "Letters, digits, and every other character",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table.

    `keysym` is X11's number of the key, by <X11/keysymdef.h> and <X11/XF86keysym.h>; Wayland uses
    the same. `pynput` is the member of `pynput.keyboard.Key`, None where pynput has no such key or
    sends the `character` instead. `character` is what the key types, if it types.
    """

    name: str
    group: Group | Literal["character"]
    keysym: int
    aliases: tuple[str, ...] = ()
    pynput: str | None = None
    character: str | None = None


class UnknownKey(UsageError, LookupError):  # noqa: N818 — reads as a fact, like KeyError
    """No key has this name. `suggestion` is the nearest right one, or None."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.suggestion = suggest(name)
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        super().__init__(f"unknown key {name!r}{hint}")


def canonical(name: str) -> str:
    """Return the one name of a key that may be written in several ways.

    Raises:
        UnknownKey: there is no such key; carries a suggestion.
    """
    found = _INDEX.get(name) or _INDEX.get(name.casefold())
    if found is not None:
        return found
    character = unicodedata.normalize("NFC", name)
    if len(character) == 1 and unicodedata.category(character) not in ("Cc", "Cs"):
        return _INDEX.get(character, character)
    raise UnknownKey(name)


def lookup(name: str) -> Key:
    """Return the row of a key, by any of its names; characters outside the table get one.

    Raises:
        UnknownKey: there is no such key.
    """
    name = canonical(name)
    return KEYS.get(name) or Key(name, "character", character_keysym(name), character=name)


def character_keysym(character: str) -> int:
    """Return the keysym of a character: Latin-1 is itself, all others are 0x1000000 + code point.

    Source: the X Window System Protocol, appendix A, "Unicode KEYSYMs".
    """
    code = ord(character)
    return code if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF else 0x0100_0000 + code


def of_text(text: str) -> Iterator[Key]:
    """Yield the keys that type a text, one a character; newline is Return.

    Control characters other than newline and tab type nothing and are left out.
    """
    for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n")):
        name = {"\n": "Return", "\r": "Return", "\t": "Tab"}.get(character, character)
        with contextlib.suppress(UnknownKey):
            yield lookup(name)


def unknown(names: Iterable[str]) -> dict[str, str]:
    """Return those names that no key has, each with what to do."""
    problems: dict[str, str] = {}
    for name in names:
        try:
            canonical(name)
        except UnknownKey as error:
            problems[name] = str(error)
    return problems


def suggest(name: str) -> str | None:
    """Return the key whose name or alias is nearest to a wrong name, or None."""
    # The cutoff is low enough for `Pg_Dwn` and high enough that `banana` has no answer.
    near = difflib.get_close_matches(name.casefold(), _WORDS, n=1, cutoff=0.6)
    return _INDEX[near[0]] if near else None


def reference() -> str:
    """Render the table as Markdown, for the documentation and `gesturectl list keys`."""
    lines: list[str] = []
    for group, title in GROUPS.items():
        rows = [key for key in KEYS.values() if key.group == group]
        lines += [f"### {title}", ""]
        if group == "character":
            lines += [
                "`a` … `z`, `A` … `Z`, `0` … `9`, and any single character of any script: `ä`, "
                "`я`, `你`.",
                "",
            ]
            continue
        lines += ["| key | also written |", "|---|---|"]
        lines += [
            f"| `{key.name}` | {', '.join(_code(alias) for alias in key.aliases)} |" for key in rows
        ]
        lines.append("")
    return "\n".join(lines)


def _code(name: str) -> str:
    """Quote a name in a Markdown table, where a bar ends the cell and a backtick the code."""
    if name == "`":
        return "`` ` ``"
    return f"`{name}`".replace("|", "\\|").replace("` `", "a space")


def _table() -> Iterator[Key]:
    """Yield every row. Aliases hold the names of X11 and the words of other systems."""

    def row(
        group: Group, keysym: int, names: str, pynput: str | None = None, character: str = ""
    ) -> Key:
        name, *aliases = names.split()
        if character:
            aliases.append(character)
        return Key(name, group, keysym, tuple(aliases), pynput, character or None)

    yield row("modifier", 0xFFE3, "ctrl control Control_L ctrl_l", "ctrl")
    yield row("modifier", 0xFFE1, "shift Shift_L", "shift")
    yield row("modifier", 0xFFE9, "alt option Alt_L", "alt")
    yield row("modifier", 0xFFEB, "super win windows cmd command meta Super_L cmd_l", "cmd")
    yield row("modifier", 0xFE03, "altgr alt_gr ISO_Level3_Shift", "alt_gr")
    yield row("modifier", 0xFFE4, "ctrl_r Control_R", "ctrl_r")
    yield row("modifier", 0xFFE2, "shift_r Shift_R", "shift_r")
    yield row("modifier", 0xFFEA, "alt_r Alt_R", "alt_r")
    yield row("modifier", 0xFFEC, "super_r Super_R cmd_r win_r", "cmd_r")

    yield row("navigation", 0xFF51, "Left arrow_left", "left")
    yield row("navigation", 0xFF53, "Right arrow_right", "right")
    yield row("navigation", 0xFF52, "Up arrow_up", "up")
    yield row("navigation", 0xFF54, "Down arrow_down", "down")
    yield row("navigation", 0xFF55, "Page_Up PageUp PgUp", "page_up")
    yield row("navigation", 0xFF56, "Page_Down PageDown PgDn", "page_down")
    yield row("navigation", 0xFF50, "Home", "home")
    yield row("navigation", 0xFF57, "End", "end")

    yield row("editing", 0xFF0D, "Return Enter", "enter")
    yield row("editing", 0xFF1B, "Escape Esc", "esc")
    yield row("editing", 0x0020, "space", "space", " ")
    yield row("editing", 0xFF09, "Tab", "tab")
    yield row("editing", 0xFF08, "BackSpace back_space", "backspace")
    yield row("editing", 0xFFFF, "Delete Del", "delete")
    yield row("editing", 0xFF63, "Insert Ins", "insert")

    for n in range(1, 25):
        yield row("function", 0xFFBD + n, f"F{n}", f"f{n}")

    for digit in range(10):
        yield row("keypad", 0xFFB0 + digit, f"KP_{digit}")
    yield row("keypad", 0xFF8D, "KP_Enter")
    yield row("keypad", 0xFFAB, "KP_Add")
    yield row("keypad", 0xFFAD, "KP_Subtract")
    yield row("keypad", 0xFFAA, "KP_Multiply")
    yield row("keypad", 0xFFAF, "KP_Divide")
    yield row("keypad", 0xFFAE, "KP_Decimal")
    yield row("keypad", 0xFFBD, "KP_Equal")

    for character, names in _PUNCTUATION.items():
        yield row("punctuation", ord(character), names, None, character)

    yield row("media", 0x1008FF14, "play_pause play XF86AudioPlay", "media_play_pause")
    yield row("media", 0x1008FF17, "next next_track XF86AudioNext", "media_next")
    yield row("media", 0x1008FF16, "previous prev previous_track XF86AudioPrev", "media_previous")
    yield row("media", 0x1008FF15, "stop XF86AudioStop", "media_stop")
    yield row("media", 0x1008FF3E, "rewind XF86AudioRewind")
    yield row("media", 0x1008FF97, "fast_forward XF86AudioForward")
    yield row("media", 0x1008FF1C, "record XF86AudioRecord")
    yield row("media", 0x1008FF2C, "eject XF86Eject", "media_eject")
    yield row("media", 0x1008FF13, "volume_up XF86AudioRaiseVolume", "media_volume_up")
    yield row("media", 0x1008FF11, "volume_down XF86AudioLowerVolume", "media_volume_down")
    yield row("media", 0x1008FF12, "mute volume_mute XF86AudioMute", "media_volume_mute")
    yield row("media", 0x1008FFB2, "mic_mute XF86AudioMicMute")
    yield row("media", 0x1008FF02, "brightness_up XF86MonBrightnessUp")
    yield row("media", 0x1008FF03, "brightness_down XF86MonBrightnessDown")
    yield row("media", 0x1008FF05, "keyboard_light_up XF86KbdBrightnessUp")
    yield row("media", 0x1008FF06, "keyboard_light_down XF86KbdBrightnessDown")

    yield row("system", 0xFF67, "Menu apps", "menu")
    yield row("system", 0xFF61, "Print print_screen PrtSc", "print_screen")
    yield row("system", 0xFF13, "Pause", "pause")
    yield row("system", 0xFF6B, "Break")
    yield row("system", 0xFFE5, "Caps_Lock CapsLock", "caps_lock")
    yield row("system", 0xFF7F, "Num_Lock NumLock", "num_lock")
    yield row("system", 0xFF14, "Scroll_Lock ScrollLock", "scroll_lock")
    yield row("system", 0x1008FF26, "browser_back XF86Back")
    yield row("system", 0x1008FF27, "browser_forward XF86Forward")
    yield row("system", 0x1008FF29, "browser_refresh XF86Refresh")
    yield row("system", 0x1008FF18, "browser_home XF86HomePage")
    yield row("system", 0x1008FF1B, "search XF86Search")
    yield row("system", 0x1008FF1D, "calculator XF86Calculator")
    yield row("system", 0x1008FF19, "mail XF86Mail")
    yield row("system", 0x1008FF2D, "lock_screen XF86ScreenSaver")
    yield row("system", 0x1008FF2F, "sleep XF86Sleep")

    for character in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        yield Key(character, "character", ord(character), character=character)


_PUNCTUATION = {
    "+": "plus",
    "-": "minus dash",
    "=": "equal equals",
    "_": "underscore",
    ",": "comma",
    ".": "period dot",
    ";": "semicolon",
    ":": "colon",
    "/": "slash",
    "\\": "backslash",
    "|": "bar pipe",
    "'": "apostrophe quote",
    '"': "quotedbl double_quote",
    "`": "grave backtick",
    "~": "asciitilde tilde",
    "!": "exclam exclamation",
    "?": "question",
    "@": "at",
    "#": "numbersign hash",
    "$": "dollar",
    "%": "percent",
    "^": "asciicircum caret",
    "&": "ampersand",
    "*": "asterisk star",
    "(": "parenleft",
    ")": "parenright",
    "[": "bracketleft",
    "]": "bracketright",
    "{": "braceleft",
    "}": "braceright",
    "<": "less",
    ">": "greater",
}

KEYS: dict[str, Key] = {key.name: key for key in _table()}


def _index() -> dict[str, str]:
    """Map every spelling to its name: single characters as they are, all others casefolded."""
    index: dict[str, str] = {}
    for key in KEYS.values():
        for spelling in (key.name, *key.aliases):
            spelled = spelling if len(spelling) == 1 else spelling.casefold()
            if index.setdefault(spelled, key.name) != key.name:
                raise ValueError(f"{spelling!r} names both {index[spelled]!r} and {key.name!r}")
    return index


_INDEX = _index()
_WORDS = [spelling for spelling in _INDEX if len(spelling) > 1]
