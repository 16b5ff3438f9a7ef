"""Consent: what somebody agreed to before a camera is opened, in plain words, asked once.

There are two things to agree to, each for itself: that a camera watches (`watch`), and that
landmarks of whoever is seen are kept on disk (`keep`), which includes the first. A yes is kept with
its day in the state folder, and nothing else about whoever said it; `gesturectl privacy delete`
takes it back. `consent: true` in config.yaml says both, for machines where nobody can be asked.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, get_args

from gesturectl import config, lastheard, strictjson, wholefile
from gesturectl.errors import SourceError, UsageError

Purpose = Literal["watch", "keep"]

# A yes counts for these words. When they come to mean something else, this number grows, and
# everybody is asked again.
VERSION: Final = 2

WORDS: Final[Mapping[Purpose, str]] = {
    "watch": (
        "gesturectl looks through your camera and finds the joints of hands and bodies in each "
        "picture, on this machine. No picture and no sound is kept or sent. A small log notes when "
        "gesturectl starts, pauses, changes its mode and stops, and what goes wrong: no pictures, "
        "no joints, nothing you type or say. Once you teach gestures of your own, the seconds "
        "around the last one you made are kept as joints, for `gesturectl wrong`. Everybody who "
        "comes into view is seen. `gesturectl privacy show` lists what is kept, `gesturectl "
        "privacy delete` removes it and takes this consent back."
    ),
    "keep": (
        "A recording keeps the places of hand and body joints in time: no picture, no sound, of "
        "the face only nose, eyes and ears. It stays on this machine, and shows how somebody "
        "moves. Record only people who agree. `gesturectl privacy show` lists what is kept, "
        "`gesturectl privacy delete` removes it and takes this consent back."
    ),
}
QUESTIONS: Final[Mapping[Purpose, str]] = {
    "watch": "Do you agree, for yourself and for everybody who will be seen?",
    "keep": "Has everyone who will be seen agreed?",
}


def file() -> Path:
    """Return where a yes is kept."""
    return lastheard.file().with_name("consent.json")


def given(purpose: Purpose, settings: config.Config) -> bool:
    """Whether somebody has agreed to this, in the settings or when asked."""
    return settings.consent or purpose in said()


def said() -> dict[Purpose, str]:
    """Return what was agreed to when asked, each with its day; a damaged file says nothing."""
    try:
        row = strictjson.loads(file().read_bytes()[:4096])
    except (OSError, ValueError):
        return {}
    if not isinstance(row, dict) or row.get("version") != VERSION:
        return {}
    return {name: row[name] for name in get_args(Purpose) if isinstance(row.get(name), str)}


def keep(purpose: Purpose, today: datetime.date | None = None) -> None:
    """Note that somebody has agreed.

    Raises:
        SourceError: it cannot be noted; the next start would ask again without saying why.
    """
    day = (today or datetime.datetime.now(datetime.UTC).date()).isoformat()
    agreed = {"watch": day, purpose: day, **said()}
    path = file()
    try:
        wholefile.write(path, f"{json.dumps({'version': VERSION, **agreed})}\n".encode())
    except OSError as error:
        raise SourceError(
            f"{path} cannot be written, so that your consent cannot be kept: {error.strerror}; "
            "mend its folder"
        ) from error


def nobody_to_ask(purpose: Purpose, option: str | None) -> UsageError:
    """Return what to say where consent is missing and nobody sits at a terminal."""
    ways = [f"give {option} when everyone who is seen has agreed"] if option else []
    ways += [
        "start it once on a terminal to be asked",
        f"or write `consent: true` in {config.folder() / 'config.yaml'}",
    ]
    what = "the camera" if purpose == "watch" else "recordings of whoever is seen"
    return UsageError(f"nobody has agreed to {what} yet: {', '.join(ways)}")
