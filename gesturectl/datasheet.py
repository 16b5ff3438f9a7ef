"""Write the data sheet in `docs/privacy.md` from the tables that `gesturectl privacy` reads.

    python -m gesturectl.datasheet            writes the tables into docs/privacy.md
    python -m gesturectl.datasheet --check    says whether they are up to date (exit code 1 if not)

The words around the tables are written by hand, and stay as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gesturectl import consent, privacy
from gesturectl.config import Keep
from gesturectl.holdings import CONNECTIONS, PLACES

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "privacy.md"

# Where the folders are on Linux; other systems have one of their own for each user.
ON_LINUX: Final = {
    "configuration": "~/.config/gesturectl",
    "data": "~/.local/share/gesturectl",
    "state": "~/.local/state/gesturectl",
    "cache": "~/.cache/gesturectl",
    "runtime": "$XDG_RUNTIME_DIR/gesturectl",
    "units": "~/.config/systemd/user",
    "autostart": "~/.config/autostart",
}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _kept() -> str:
    rows = (
        (
            f"`{place.name}`",
            place.what,
            f"`{ON_LINUX[place.folder]}/{place.entries[0]}`",
            privacy.days(place, Keep()),
            place.why,
            "yes" if place.personal else "no",
        )
        for place in PLACES
    )
    head = ("", "what", "where", "how long, unless you say otherwise", "why", "removed by `delete`")
    return _table(head, rows)


def _connections() -> str:
    rows = (
        (one.to, one.when, one.why, "yes, if you say so" if one.beyond else "no")
        for one in CONNECTIONS
    )
    return _table(("to", "when", "why", "can leave this machine"), rows)


def _words() -> str:
    return "\n".join(
        f"> {consent.WORDS[purpose]} *{consent.QUESTIONS[purpose]}*\n"
        for purpose in ("watch", "keep")
    )


PARTS: Final = {"words": _words, "kept": _kept, "connections": _connections}


def written(text: str) -> str:
    """Return the page with its tables as they are now.

    Raises:
        ValueError: a mark that says where a table stands is missing.
    """
    for name, make in PARTS.items():
        begin, end = f"<!-- {name}: by `python -m gesturectl.datasheet` -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{PAGE.name} has no place for {name}: {begin.strip()} … {end}")
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say whether it is out of date."""
    text = PAGE.read_text("utf-8")
    fresh = written(text)
    if fresh == text:
        return 0
    if "--check" in arguments:
        print(f"docs/{PAGE.name} is out of date; run: python -m gesturectl.datasheet")
        return 1
    PAGE.write_text(fresh, "utf-8")
    print(f"wrote docs/{PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
