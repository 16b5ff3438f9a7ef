"""The icon in panels of Linux: org.kde.StatusNotifierItem on the session's D-Bus.

    watcher appears ─▶ RegisterStatusNotifierItem        as often as a panel starts anew
    status changes  ─▶ NewIcon, NewStatus, NewToolTip    panels then read what they show

Without a watcher nobody shows icons; the item is there all the same, for when one comes. Words are
told as plain text, and icons as pixels of several sizes, so that no theme has to know ours.

https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/ tells the interface; KDE's names
are the ones that panels use.
"""

# Annotations are evaluated here: of postponed ones dbus-fast does not understand `-> None`.

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

from dbus_fast import DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusInt32,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from gesturectl import sessionbus
from gesturectl.errors import DesktopError
from gesturectl.tray import dbusmenu, icons
from gesturectl.tray.dbusmenu import Menu
from gesturectl.tray.menu import Ask, rows, toggled
from gesturectl.tray.status import NEEDS_ATTENTION, State, Status

log = logging.getLogger(__name__)

PATH: Final = "/StatusNotifierItem"
WATCHER: Final = "org.kde.StatusNotifierWatcher"
TIMEOUT_S: Final = 5.0
NO_PANEL: Final = (
    "no panel of this desktop shows icons (yet): docs/tray.md says which do; the tray waits for one"
)

Pixmaps = Annotated[list[list[Any]], DBusSignature("a(iiay)")]
ToolTip = Annotated[list[Any], DBusSignature("(sa(iiay)ss)")]
READ: Final = PropertyAccess.READ
# Some panels read tooltips as markup and others do not, so there is nothing that could be markup.
_PLAIN: Final = str.maketrans({"<": "‹", ">": "›", "&": "＆"})


class Item(ServiceInterface):
    """The icon. `activated` is called when it is clicked."""

    def __init__(self, status: Status, activated: Callable[[], None]) -> None:
        super().__init__("org.kde.StatusNotifierItem")
        self._activated = activated
        self._status = status

    def show(self, status: Status) -> None:
        """Show another status, and tell panels what has changed."""
        before, self._status = self._status, status
        if status.state is not before.state:
            self.NewIcon()
            self.NewAttentionIcon()
            self.NewStatus()
        if status.words != before.words:
            self.NewToolTip()

    def _urgency(self) -> str:
        return "NeedsAttention" if self._status.state in NEEDS_ATTENTION else "Active"

    # --- the interface; its names are the protocol's ---

    @dbus_property(READ)
    def Category(self) -> DBusStr:  # noqa: N802
        return "Hardware"

    @dbus_property(READ)
    def Id(self) -> DBusStr:  # noqa: N802
        return "gesturectl"

    @dbus_property(READ)
    def Title(self) -> DBusStr:  # noqa: N802
        return "gesturectl"

    @dbus_property(READ)
    def Status(self) -> DBusStr:  # noqa: N802
        return self._urgency()

    @dbus_property(READ)
    def WindowId(self) -> DBusInt32:  # noqa: N802
        return 0

    @dbus_property(READ)
    def IconThemePath(self) -> DBusStr:  # noqa: N802
        return ""

    @dbus_property(READ)
    def IconName(self) -> DBusStr:  # noqa: N802
        return ""

    @dbus_property(READ)
    def IconPixmap(self) -> Pixmaps:  # noqa: N802
        return pixmaps(self._status.state)

    @dbus_property(READ)
    def OverlayIconName(self) -> DBusStr:  # noqa: N802
        return ""

    @dbus_property(READ)
    def OverlayIconPixmap(self) -> Pixmaps:  # noqa: N802
        return []

    @dbus_property(READ)
    def AttentionIconName(self) -> DBusStr:  # noqa: N802
        return ""

    @dbus_property(READ)
    def AttentionIconPixmap(self) -> Pixmaps:  # noqa: N802
        return pixmaps(self._status.state)

    @dbus_property(READ)
    def AttentionMovieName(self) -> DBusStr:  # noqa: N802
        return ""

    @dbus_property(READ)
    def ToolTip(self) -> ToolTip:  # noqa: N802
        return ["", [], self._status.words.translate(_PLAIN), ""]

    @dbus_property(READ)
    def ItemIsMenu(self) -> DBusBool:  # noqa: N802
        return False

    @dbus_property(READ)
    def Menu(self) -> DBusObjectPath:  # noqa: N802
        return dbusmenu.PATH

    @dbus_method()
    def Activate(self, _x: DBusInt32, _y: DBusInt32) -> None:  # noqa: N802
        self._activated()

    @dbus_method()
    def SecondaryActivate(self, _x: DBusInt32, _y: DBusInt32) -> None:  # noqa: N802
        self._activated()

    @dbus_method()
    def ContextMenu(self, _x: DBusInt32, _y: DBusInt32) -> None:  # noqa: N802
        """Panels show the menu themselves."""

    @dbus_method()
    def Scroll(self, _delta: DBusInt32, _orientation: DBusStr) -> None:  # noqa: N802
        """Nothing is scrolled."""

    @dbus_signal()
    def NewTitle(self) -> None:  # noqa: N802
        """The title never changes; the signal belongs to the interface."""

    @dbus_signal()
    def NewIcon(self) -> None:  # noqa: N802
        """IconPixmap has changed."""

    @dbus_signal()
    def NewAttentionIcon(self) -> None:  # noqa: N802
        """AttentionIconPixmap has changed."""

    @dbus_signal()
    def NewOverlayIcon(self) -> None:  # noqa: N802
        """There never is one."""

    @dbus_signal()
    def NewToolTip(self) -> None:  # noqa: N802
        """ToolTip has changed."""

    @dbus_signal()
    def NewStatus(self) -> DBusStr:  # noqa: N802
        return self._urgency()


class Panel:
    """The icon and its menu on a bus; `shown_on` makes it."""

    def __init__(
        self,
        bus: MessageBus,
        status: Status,
        act: Callable[[Ask], None],
        opening: Callable[[], None],
    ) -> None:
        self._bus, self._status = bus, status
        self._item = Item(status, lambda: act(toggled(self._status)))
        self._menu = Menu(rows(status), act, opening)
        self._name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
        self._registering: set[asyncio.Task[None]] = set()

    def show(self, status: Status) -> None:
        """Show another status."""
        self._status = status
        self._item.show(status)
        self._menu.show(rows(status))

    async def start(self) -> None:
        """Appear in the panel, if there is one, and in each that comes."""
        self._bus.export(PATH, self._item)
        self._bus.export(dbusmenu.PATH, self._menu)
        await self._bus.request_name(self._name)
        self._bus.add_message_handler(self._heard)
        rule = (
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
            f"member='NameOwnerChanged',arg0='{WATCHER}'"
        )
        await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "AddMatch", rule)
        owned = await self._call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "NameHasOwner", WATCHER
        )
        if owned.body[0]:
            await self._register()
        else:
            log.info("%s", NO_PANEL)

    def _heard(self, message: Message) -> None:
        if message.member != "NameOwnerChanged" or message.message_type is not MessageType.SIGNAL:
            return
        name, _before, now = message.body
        if name == WATCHER and now:
            task = asyncio.get_running_loop().create_task(self._register())
            self._registering.add(task)
            task.add_done_callback(self._registering.discard)

    async def _register(self) -> None:
        try:
            await self._call(
                WATCHER, "/StatusNotifierWatcher", "RegisterStatusNotifierItem", self._name
            )
            log.info("the tray is in the panel")
        except DesktopError as error:  # it is gone again, or it hangs: another one may come
            log.info("the panel does not take the tray: %s", error)

    async def _call(self, service: str, path: str, member: str, argument: str) -> Message:
        """Call a method of a service that bears the name of its interface.

        Raises:
            DesktopError: it is refused, or not answered.
        """
        call = Message(
            destination=service,
            path=path,
            interface=service,
            member=member,
            signature="s",
            body=[argument],
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reply = await self._bus.call(call)
        except TimeoutError:
            raise DesktopError(f"{service} does not answer") from None
        except (OSError, EOFError, DBusError) as error:
            raise DesktopError(f"{sessionbus.ENDED} ({error})") from error
        if reply is None or reply.message_type is MessageType.ERROR:
            raise DesktopError(f"{service} refuses {member}: {reply and reply.error_name}")
        return reply


@asynccontextmanager
async def shown_on(
    status: Status, act: Callable[[Ask], None], opening: Callable[[], None]
) -> AsyncIterator[tuple[Panel, asyncio.Future[None]]]:
    """Show the tray; give it, and what is done when the bus has ended.

    `act` is told what a click asks for, `opening` that a menu opens.

    Raises:
        DesktopError: there is no bus to show it on.
    """
    try:
        async with sessionbus.connected() as bus:
            gone = asyncio.ensure_future(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
            try:
                panel = Panel(bus, status, act, opening)
                await panel.start()
                yield panel, gone
            finally:
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
    except sessionbus.NoBus as error:
        raise DesktopError(str(error)) from error


def pixmaps(state: State) -> list[list[Any]]:
    """Return the icon of a state in all sizes: width, height, pixels."""
    return [[size_px, size_px, icons.argb(state, size_px)] for size_px in icons.SIZES_PX]
