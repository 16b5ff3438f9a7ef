"""Presence: somebody has come, is there, has gone, has come back.

In:  whether a frame shows a body, or a hand where no bodies are looked for.  Out: begins, ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gesturectl.fields import Duration, Yes, duration_text
from gesturectl.places import BEGINS, ENDS, LOST_US, Changes, Seen

ARRIVES_US: Final = 500_000
GONE_US: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody is there: a body, or a hand where no bodies are looked for."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Presence")

    after_us: Annotated[
        Duration, Field(alias="after", description="Begin once somebody has been there so long.")
    ] = ARRIVES_US
    gone_us: Annotated[
        Duration, Field(alias="gone", description="End once nobody has been there so long.")
    ] = GONE_US
    returns: Annotated[
        Yes | None, Field(description="Begin only when somebody comes back, not the first time.")
    ] = None

    @property
    def name(self) -> str:
        """The name of its event: `presence`, `presence:after=5s,returns`."""
        parts = [f"after={duration_text(self.after_us)}"] if self.after_us != ARRIVES_US else []
        parts += [f"gone={duration_text(self.gone_us)}"] if self.gone_us != GONE_US else []
        parts += ["returns"] if self.returns else []
        return f"presence:{','.join(parts)}" if parts else "presence"


class OrTrue:
    """A mapping that may be written as `true` where all its defaults will do."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def spread(value: object) -> object:
            return {} if value == "true" else value

        return core_schema.no_info_before_validator_function(spread, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"const": True}, handler(core)]}


PresenceKind = Annotated[Presence, OrTrue()]
"""The value of `presence`; `true` alone will do."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who is there: since when, when last seen, and whether that is so by now (`there`).

    `again` when somebody had been there before. With `since_us` None nobody is there.
    """

    since_us: int | None = None
    seen_us: int = 0
    there: bool = False
    again: bool = False


def step(config: Presence, state: Company | None, seen: Seen) -> tuple[Company | None, Changes]:
    r"""Begin when somebody has come to stay, end when everybody has been gone.

    here    __/^\__/^^^\_/^^^^^^^\____/^^^\______________
    shown   _______________/^^^^^^^^^^^^^^^^^^^^^^\____
              1    2    3  4       5          6     7

    1) passes by: nothing   2) comes   3) an absence up to LOST_US is none
    4) after `after`: begins   5) an absence shorter than `gone` is none
    6) goes   7) after `gone`: ends
    """
    t, state = seen.t_us, state or Company()
    told = state.again or not config.returns
    if seen.somebody:
        since_us = state.since_us
        if since_us is None or (not state.there and t - state.seen_us > LOST_US):
            since_us = t
        comes = not state.there and t - since_us >= config.after_us
        after = Company(since_us, t, state.there or comes, state.again)
        return after, BEGINS if comes and told else ()
    if state.there and t - state.seen_us >= config.gone_us:
        return Company(again=True), ENDS if told else ()
    return state, ()


def progress(config: Presence, state: Company, t_us: int) -> float | None:
    """Return how long somebody has been there of the time that is asked for, 0..1, or None."""
    if state.there or state.since_us is None or t_us - state.seen_us > LOST_US:
        return None
    return min(1.0, (t_us - state.since_us) / config.after_us)


def kept(state: Company) -> Company | None:
    """Return what is remembered over a pause: that somebody has been there."""
    return Company(again=True) if state.there or state.again else None
