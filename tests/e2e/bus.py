"""What panels do on D-Bus: a client that asks, and a watcher that icons register with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from queue import Queue
from typing import Any, Final

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from tests.e2e.buses import Service

TIMEOUT_S: Final = 10.0
WATCHER: Final = "org.kde.StatusNotifierWatcher"


def ask(address: str, message: Message) -> list[Any]:
    """Call a method, from a connection of its own; return what is answered."""

    async def answer() -> Message:
        bus = await MessageBus(bus_address=address).connect()
        try:
            reply = await bus.call(message)
        finally:
            bus.disconnect()
        assert reply is not None
        return reply

    reply = asyncio.run(asyncio.wait_for(answer(), TIMEOUT_S))
    assert reply.message_type is not MessageType.ERROR, f"{reply.error_name}: {reply.body}"
    return list(reply.body)


@contextmanager
def notification_service(address: str) -> Iterator[Queue[dict[str, Any]]]:
    """What a desktop has: shows nothing, keeps what it is asked to show."""
    shown: Queue[dict[str, Any]] = Queue()
    names = ["app", "replaces_id", "icon", "summary", "body", "actions", "hints", "timeout_ms"]
    next_id = count(41)

    def show(message: Message) -> tuple[str, list[Any]]:
        shown.put(dict(zip(names, message.body, strict=True)))
        new_id = next(next_id)
        return "u", [message.body[1] or new_id]

    service = Service(address, "org.freedesktop.Notifications")
    service.answers["Notify"] = show
    with service:
        yield shown


class Watcher(Service):
    """What a panel has: it is told of icons, and of what they say of themselves.

    `items` are names as they register.
    """

    def __init__(self, address: str) -> None:
        super().__init__(
            address,
            WATCHER,
            interfaces=("org.kde.StatusNotifierItem", "com.canonical.dbusmenu"),
        )
        self.items: Queue[str] = Queue()
        self.answers["RegisterStatusNotifierItem"] = self._register

    def _register(self, message: Message) -> tuple[str, list[Any]]:
        self.items.put(message.body[0])
        return "", []


class Icon:
    """An icon on a bus, as a panel uses it."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name

    def call(self, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> list[Any]:  # fmt: skip
        """Call one of its methods."""
        return ask(
            self.address,
            Message(
                destination=self.name,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            ),
        )

    def properties(self) -> dict[str, Any]:
        """Return all that it says of itself."""
        (found,) = self.call(
            "/StatusNotifierItem",
            "org.freedesktop.DBus.Properties",
            "GetAll",
            "s",
            "org.kde.StatusNotifierItem",
        )
        return {name: variant.value for name, variant in found.items()}

    def activate(self) -> None:
        """Click on it."""
        self.call("/StatusNotifierItem", "org.kde.StatusNotifierItem", "Activate", "ii", 0, 0)

    def menu(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """Return its rows by their words, those of submenus behind a slash: number, properties."""
        _revision, root = self.call(
            "/MenuBar", "com.canonical.dbusmenu", "GetLayout", "iias", 0, -1, []
        )
        return dict(_rows(root, ""))

    def click(self, row: str) -> None:
        """Click a row of its menu."""
        from dbus_fast import Variant

        number, _own = self.menu()[row]
        self.call(
            "/MenuBar", "com.canonical.dbusmenu", "Event", "isvu",
            number, "clicked", Variant("i", 0), 0,
        )  # fmt: skip


def _rows(node: list[Any], above: str) -> Iterator[tuple[str, tuple[int, dict[str, Any]]]]:
    for child in node[2]:
        number, found, _inner = child.value
        own = {name: variant.value for name, variant in found.items()}
        words = above + str(own.get("label", "—")).replace("__", "_")
        yield words, (number, own)
        yield from _rows(child.value, f"{words}/")


def environment(address: str) -> dict[str, str]:
    """Return an environment in which this bus is the session's."""
    return dict(os.environ) | {"DBUS_SESSION_BUS_ADDRESS": address}
