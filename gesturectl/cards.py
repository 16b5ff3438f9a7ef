"""The JSON beside arrays that says what they are, believed only once it has been checked."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gesturectl import strictjson
from gesturectl.errors import ModelError

MAX_PLACE = 200  # characters of a place in an error


class Strict(BaseModel):
    """No key that is not known, no value that is not of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Card = TypeVar("Card", bound=Strict)


def parsed(raw: bytes, form: str, where: str, what: str) -> dict[str, Any]:
    """Return what the JSON of a card says, whose `format` must be `form`; `what` says it in words.

    Raises:
        ModelError: it is no JSON, of two meanings, or something else.
    """
    try:
        content = strictjson.loads(raw)
    except ValueError as error:
        raise ModelError(f"{where} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise ModelError(f"{where} is not {what}")
    return content


def validated(model: type[Card], content: dict[str, Any], where: str) -> Card:
    """Return a card as its model has it.

    Raises:
        ModelError: something in it is wrong; the message names the first place.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        # A key that is no name is part of the place, whatever its length and characters.
        at = ".".join(ascii(part).strip("'") for part in first["loc"])
        raise ModelError(f"{where}: {at[:MAX_PLACE] or 'the card'}: {first['msg']}") from error
