"""Show notifications of the desktop: by D-Bus on Linux, by what the system brings elsewhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gesturectl import sessionbus
from gesturectl.errors import SinkError
from gesturectl.sinks import helpers
from gesturectl.types import Notify

SERVICE: Final = "org.freedesktop.Notifications"
TIMEOUT_S: Final = 3.0
SLOW_START_S: Final = 10.0  # PowerShell loads .NET first
NOBODY: Final = (
    "no program of this desktop shows notifications; start one (dunst, mako, xfce4-notifyd), or "
    "use `say`"
)

# The text comes by standard input or as an argument, never as part of a script.
_MACOS: Final = (
    *("osascript", "-e", "on run argv"),
    *("-e", 'display notification (item 1 of argv) with title "gesturectl"', "-e", "end run"),
)
_WINDOWS: Final = """\
[Console]::InputEncoding = [Text.Encoding]::UTF8
$text = [Console]::In.ReadToEnd()
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, \
ContentType = WindowsRuntime]
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent(\
[Windows.UI.Notifications.ToastTemplateType]::ToastText01)
$null = $toast.GetElementsByTagName('text').Item(0).AppendChild($toast.CreateTextNode($text))
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('gesturectl')\
.Show([Windows.UI.Notifications.ToastNotification]::new($toast))
"""


def notifier() -> Callable[[Notify], None]:
    """Return what shows one notification after the other, each in the place of the one before."""
    shown_id = 0

    def show(message: Notify) -> None:
        nonlocal shown_id
        if sys.platform == "darwin":
            argv = (*_MACOS, message.text)
            helpers.run(argv, timeout_s=TIMEOUT_S, private=message.text)
        elif sys.platform == "win32":
            argv = helpers.powershell(_WINDOWS)
            helpers.run(argv, message.text, timeout_s=SLOW_START_S, private=message.text)
        else:
            shown_id = _on_bus(_Call("Notify", SERVICE, "susssasa{sv}i", _body(message, shown_id)))

    return show


def missing() -> str | None:
    """Return None where notifications are shown, else the reason and what to do."""
    if sys.platform in ("darwin", "win32"):
        return None
    try:
        names = _on_bus(_Call("ListNames")) + _on_bus(_Call("ListActivatableNames"))
    except SinkError as error:
        return str(error)
    return None if SERVICE in names else NOBODY


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a method, by default of the bus itself. The path is made from the service."""

    member: str
    service: str = "org.freedesktop.DBus"
    signature: str = ""
    body: list[Any] = field(default_factory=list)


def _body(message: Notify, replaces_id: int) -> list[Any]:
    """Return the arguments of Notify, by the Desktop Notifications Specification 1.2.

    The text is the summary, which is plain; a body would be read as markup. It is transient: what
    gestures say is of no interest in a list an hour later.
    """
    from dbus_fast import Variant

    hints = {"transient": Variant("b", True)}
    return ["gesturectl", replaces_id, "", message.text, "", [], hints, -1]


def _on_bus(call: _Call) -> Any:
    """Call a method on the bus of this session and return the first thing it answers.

    Raises:
        SinkError: there is no bus, or nobody who would answer.
    """
    try:
        return asyncio.run(_answer(call))
    except sessionbus.NoBus as error:
        raise SinkError(str(error)) from error
    except TimeoutError as error:
        raise SinkError(f"D-Bus does not answer within {TIMEOUT_S:g} s") from error
    except (OSError, EOFError) as error:
        raise SinkError(sessionbus.ENDED) from error


async def _answer(call: _Call) -> Any:
    async with sessionbus.connected() as bus:
        from dbus_fast import ErrorType, Message, MessageType

        asked = Message(
            destination=call.service,
            path="/" + call.service.replace(".", "/"),
            interface=call.service,
            member=call.member,
            signature=call.signature,
            body=call.body,
        )
        reply = await asyncio.wait_for(bus.call(asked), TIMEOUT_S)
    if reply.message_type is MessageType.ERROR:
        if reply.error_name == ErrorType.SERVICE_UNKNOWN.value:
            raise SinkError(NOBODY)
        raise SinkError(f"the desktop refused the notification: {reply.error_name}")
    return reply.body[0]
