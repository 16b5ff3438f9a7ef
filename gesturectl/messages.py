"""What an action can say to others: a notification, a voice, a web address, OSC, MQTT.

In:  the value of an action.  Out: one command, checked as far as it can be before it is sent.

Nothing leaves this machine unless the user's own settings name the host (`allow_hosts`); a profile,
which may come from a stranger, cannot allow it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field

from gesturectl import hosts
from gesturectl.fields import AnyText, Kind, Line, Short, Surroundings, wrong
from gesturectl.types import Command, Mqtt, Osc, Play, Say, Webhook

MQTT_PORT: Final = 1883  # of unencrypted MQTT, by IANA
MAX_ARGUMENTS: Final = 32

# --- where to -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, in the form that `hosts.host` gives it, and a port."""

    host: str
    port: int


def _let_through(name: str, around: Surroundings) -> None:
    if not hosts.is_allowed(name, around.allow_hosts):
        raise wrong(
            f"`{name}` is not this machine, and profiles may talk to no other here",
            f"allow it with `allow_hosts: [{name}]` in gesturectl's own configuration, never in a "
            "profile",
        )


def _endpoint(default_port: int | None) -> Callable[[str, Surroundings], Endpoint]:
    def parse(text: str, around: Surroundings) -> Endpoint:
        try:
            name, port = hosts.endpoint(text, default_port)
        except ValueError as error:
            raise wrong(str(error)) from None
        _let_through(name, around)
        return Endpoint(name, port)

    return parse


def _url(text: str, around: Surroundings) -> str:
    try:
        name, _ = hosts.web_endpoint(text)
    except ValueError as error:
        raise wrong(str(error)) from None
    _let_through(name, around)
    return text


_TO_SCHEMA: Final = {"type": "string", "minLength": 1, "examples": ["localhost:9000"]}
WebAddress = Annotated[
    str, Kind("an address like `http://localhost:8123/api`", _url, {"type": "string"})
]
OscEndpoint = Annotated[Endpoint, Kind("a host and a port", _endpoint(None), _TO_SCHEMA)]
MqttEndpoint = Annotated[Endpoint, Kind("a host", _endpoint(MQTT_PORT), _TO_SCHEMA)]

# --- say ----------------------------------------------------------------------------------------


def _sound(text: str, _: Surroundings) -> str:
    if re.fullmatch(r"[A-Za-z0-9][\w-]*", text, re.ASCII):
        return text
    # Two slashes begin the name of another machine, on Windows.
    if re.match(r"~?/[^/]|~\\[^\\]|[A-Za-z]:[\\/]", text) and "\0" not in text:
        return text
    raise wrong(
        f"`{text}` is neither the name of a sound nor the whole path of a file",
        "write a name of the desktop's sounds like `bell`, or a path like `~/sounds/done.ogg`",
    )


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text to be spoken, or a sound to be played."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Say")

    text: Annotated[Line | None, Field(description="What is spoken.")] = None
    sound: Annotated[
        Annotated[str, Kind("a sound", _sound, {"type": "string", "minLength": 1})] | None,
        Field(description="What is played: a sound of the desktop by its name, or a file."),
    ] = None


def _one_of_both(spoken: Spoken) -> Spoken:
    if (spoken.text is None) is (spoken.sound is None):
        raise wrong(
            "this says nothing" if spoken.text is None else "this says two things at once",
            "write `say: hello`, or `say: {sound: bell}`",
        )
    return spoken


SayValue = Annotated[Spoken, AfterValidator(_one_of_both), Short("text")]


def say(value: Spoken, t_us: int) -> tuple[Command, ...]:
    """Speak, or play."""
    if value.sound is not None:
        return (Play(t_us, value.sound),)
    return (Say(t_us, value.text or ""),)


# --- webhook ------------------------------------------------------------------------------------


def _json(text: str, _: Surroundings) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise wrong("this is not JSON", """write it in quotes: `'{"state": "on"}'`""") from None
    return text


@dataclass(frozen=True, slots=True)
class Post:
    """A JSON text and where it goes."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Webhook")

    url: Annotated[WebAddress, Field(description="The address that the text is posted to.")]
    body: Annotated[
        Annotated[str, Kind("a JSON text", _json, {"type": "string"})],
        Field(description="A JSON text, in quotes."),
    ] = "{}"


WebhookValue = Annotated[Post, Short("url")]


def webhook(value: Post, t_us: int) -> tuple[Command, ...]:
    """Post it."""
    return (Webhook(t_us, value.url, value.body),)


# --- OSC ----------------------------------------------------------------------------------------

_INT32: Final = range(-(2**31), 2**31)


def _address(text: str, _: Surroundings) -> str:
    # The characters that Open Sound Control 1.0 lets stand in an address or a pattern of them.
    if not re.fullmatch(r"(/[!-\"$-+\--.0-~]+)+", text):
        raise wrong(f"`{text}` is not an address of OSC", "write it like `/mixer/volume`")
    return text


def _argument(text: str, _: Surroundings) -> str | int | float:
    """Take numbers as numbers, as they are meant: `1` is an integer, `0.5` a float."""
    if re.fullmatch(r"[+-]?\d{1,10}", text) and int(text) in _INT32:
        return int(text)
    if re.fullmatch(r"[+-]?\d{1,15}\.\d{1,15}", text):
        return float(text)
    if "\0" in text:
        raise wrong("a text with a NUL character cannot be sent by OSC")
    return text


@dataclass(frozen=True, slots=True)
class OscMessage:
    """A message of Open Sound Control and where it goes."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Osc")

    to: Annotated[OscEndpoint, Field(description="Host and port that listen, by UDP.")]
    address: Annotated[
        Annotated[str, Kind("an address of OSC", _address, {"type": "string", "pattern": "^/"})],
        Field(description="The address of OSC, like `/mixer/volume`."),
    ]
    arguments: Annotated[
        tuple[
            Annotated[
                str | int | float,
                Kind("an argument", _argument, {"type": ["string", "number"]}),
            ],
            ...,
        ],
        Field(description="Its arguments: integers, floats and texts.", max_length=MAX_ARGUMENTS),
    ] = ()


def osc(value: OscMessage, t_us: int) -> tuple[Command, ...]:
    """Send it."""
    return (Osc(t_us, value.to.host, value.to.port, value.address, value.arguments),)


# --- MQTT ---------------------------------------------------------------------------------------


def _topic(text: str, _: Surroundings) -> str:
    if not text or len(text.encode("utf-8", "replace")) > 65_535 or re.search(r"[+#\0]", text):
        raise wrong(f"`{text}` is not a topic to publish to", "write it like `home/lamp/set`")
    return text


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """A message of MQTT and where it goes."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Mqtt")

    to: Annotated[MqttEndpoint, Field(description="Host of the broker, and its port if not 1883.")]
    topic: Annotated[
        Annotated[str, Kind("a topic", _topic, {"type": "string", "minLength": 1})],
        Field(description="The topic that is published to."),
    ]
    payload: Annotated[AnyText, Field(description="The text that is published.")]


def mqtt(value: MqttMessage, t_us: int) -> tuple[Command, ...]:
    """Publish it."""
    return (Mqtt(t_us, value.to.host, value.to.port, value.topic, value.payload),)
