"""Every place in a value that JSON knows, for tests that put something odd at one of them."""

from __future__ import annotations

from typing import Any

Place = tuple[str | int, ...]


def places(content: Any, path: Place = ()) -> list[Place]:
    """Return the way to every value, the whole first."""
    match content:
        case dict():
            below = [places(value, (*path, key)) for key, value in content.items()]
        case list():
            below = [places(value, (*path, i)) for i, value in enumerate(content)]
        case _:
            below = []
    return [path, *(place for some in below for place in some)]
