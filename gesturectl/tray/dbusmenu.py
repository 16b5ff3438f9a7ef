"""The menu as panels ask for it: com.canonical.dbusmenu, version 3.

    panel ── AboutToShow ─▶            ask the daemon for what it does not tell by itself
          ── GetLayout ───▶ rows as a tree, with a revision
          ── Event ───────▶ a row was clicked
          ◀─ LayoutUpdated ─ other rows;  ◀─ ItemsPropertiesUpdated ─ other words in the same rows

A row has one number for as long as there is a row of its key. Panels keep an open menu open when
only words change, so the two signals are told apart.

The interface is described in libdbusmenu's `dbus-menu.xml`.
"""

# Annotations are evaluated here: of postponed ones dbus-fast does not understand `-> None`.

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from dbus_fast import DBusError, ErrorType, Variant
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from gesturectl.tray.menu import Ask, Kind, Row, every

PATH: Final = "/MenuBar"
ROOT: Final = 0

Properties = dict[str, Variant]
Node = list[Any]  # number, properties, [Variant("(ia{sv}av)", Node), …]
Numbers = Annotated[list[int], DBusSignature("ai")]
Names = Annotated[list[str], DBusSignature("as")]
Group = Annotated[list[list[Any]], DBusSignature("a(ia{sv})")]
Layout = Annotated[list[Any], DBusSignature("u(ia{sv}av)")]
Updated = Annotated[list[Any], DBusSignature("a(ia{sv})a(ias)")]


class Menu(ServiceInterface):
    """Serves rows; `clicked` is told what a clicked row asks for, `opening` that a menu opens."""

    def __init__(self, clicked: Callable[[Ask], None], opening: Callable[[], None]) -> None:
        super().__init__("com.canonical.dbusmenu")
        self._clicked, self._opening = clicked, opening
        self._numbers: dict[str, int] = {}  # of keys, for ever
        self._revision = 1
        self._show(())

    def show(self, rows: tuple[Row, ...]) -> None:
        """Serve other rows, and tell panels what has changed."""
        if rows == self._rows:
            return
        before, shape = self._properties, self._shape
        self._show(rows)
        if self._shape != shape:
            self._revision += 1
            self.LayoutUpdated()
            return
        changed = [[n, own] for n, own in self._properties.items() if own != before[n]]
        self.ItemsPropertiesUpdated([changed, []])

    def _show(self, rows: tuple[Row, ...]) -> None:
        self._rows = rows
        found = {self._number(row): row for row in every(rows)}
        self._asks = {n: row.ask for n, row in found.items() if row.enabled and row.ask}
        self._properties = {ROOT: {"children-display": Variant("s", "submenu")}} | {
            n: properties(row) for n, row in found.items()
        }
        self._shape: dict[int, tuple[int, ...]] = {ROOT: tuple(map(self._number, rows))} | {
            n: tuple(map(self._number, row.rows)) for n, row in found.items()
        }

    def _number(self, row: Row) -> int:
        return self._numbers.setdefault(row.key, len(self._numbers) + 1)

    def _node(self, number: int, depth: int, names: list[str]) -> Node:
        inner = self._shape[number] if depth else ()
        nodes = [Variant("(ia{sv}av)", self._node(one, depth - 1, names)) for one in inner]
        return [number, _named(self._properties[number], names), nodes]

    def _known(self, number: int) -> Properties:
        try:
            return self._properties[number]
        except KeyError:
            raise DBusError(ErrorType.INVALID_ARGS, f"there is no row {number}") from None

    def _happened(self, number: int, event: str) -> None:
        if event == "opened":
            self._opening()
        elif event == "clicked" and (ask := self._asks.get(number)) is not None:
            self._clicked(ask)

    # --- the interface; its names are the protocol's ---

    @dbus_method()
    def GetLayout(self, parent: DBusInt32, depth: DBusInt32, names: Names) -> Layout:  # noqa: N802
        self._known(parent)
        return [self._revision, self._node(parent, depth, names)]

    @dbus_method()
    def GetGroupProperties(self, numbers: Numbers, names: Names) -> Group:  # noqa: N802
        wanted = numbers or list(self._properties)
        return [
            [one, _named(self._properties[one], names)] for one in wanted if one in self._properties
        ]

    @dbus_method()
    def GetProperty(  # noqa: N802
        self, number: DBusInt32, name: DBusStr
    ) -> Annotated[Variant, DBusSignature("v")]:
        own = self._known(number)
        if name not in own:
            raise DBusError(ErrorType.INVALID_ARGS, f"row {number} has no {name}")
        return own[name]

    @dbus_method()
    def Event(  # noqa: N802
        self,
        number: DBusInt32,
        event: DBusStr,
        _data: Annotated[Variant, DBusSignature("v")],
        _time: DBusUInt32,
    ) -> None:
        self._known(number)
        self._happened(number, event)

    @dbus_method()
    def EventGroup(  # noqa: N802
        self, events: Annotated[list[list[Any]], DBusSignature("a(isvu)")]
    ) -> Numbers:
        for number, event, _data, _time in events:
            self._happened(number, event)
        return [number for number, *_ in events if number not in self._properties]

    @dbus_method()
    def AboutToShow(self, number: DBusInt32) -> DBusBool:  # noqa: N802
        self._known(number)
        self._opening()
        return False  # what the daemon answers comes by a signal

    @dbus_method()
    def AboutToShowGroup(  # noqa: N802
        self, numbers: Numbers
    ) -> Annotated[list[list[int]], DBusSignature("aiai")]:
        self._opening()
        return [[], [number for number in numbers if number not in self._properties]]

    @dbus_property(PropertyAccess.READ)
    def Version(self) -> DBusUInt32:  # noqa: N802
        return 3

    @dbus_property(PropertyAccess.READ)
    def TextDirection(self) -> DBusStr:  # noqa: N802
        return "ltr"

    @dbus_property(PropertyAccess.READ)
    def Status(self) -> DBusStr:  # noqa: N802
        return "normal"

    @dbus_property(PropertyAccess.READ)
    def IconThemePath(self) -> Names:  # noqa: N802
        return []

    @dbus_signal()
    def LayoutUpdated(self) -> Annotated[list[int], DBusSignature("ui")]:  # noqa: N802
        return [self._revision, ROOT]

    @dbus_signal()
    def ItemsPropertiesUpdated(self, changes: list[Any]) -> Updated:  # noqa: N802
        return changes


def properties(row: Row) -> Properties:
    """Return what a panel is told of one row."""
    if row.kind is Kind.separator:
        return {"type": Variant("s", "separator")}
    told = {
        # One underscore would underline the letter behind it.
        "label": Variant("s", row.label.replace("_", "__")),
        "enabled": Variant("b", row.enabled),
    }
    if row.kind is Kind.radio:
        told["toggle-type"] = Variant("s", "radio")
        told["toggle-state"] = Variant("i", int(row.chosen))
    if row.rows:
        told["children-display"] = Variant("s", "submenu")
    return told


def _named(own: Mapping[str, Variant], names: list[str]) -> Properties:
    return {name: value for name, value in own.items() if not names or name in names}
