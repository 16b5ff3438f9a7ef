"""The panel and the ring on Wayland: layers over all windows, by wlr-layer-shell.

    we     registry  bind  outputs    surface, layer on an output   region := nothing   commit
    they   globals … names, places, scales                                        configure(serial)
    we                                                       ack   buffer, damage, commit …

A layer is anchored to the sides of its output that its place names. The ring stands at a place the
daemon knows, for Wayland tells nobody where the pointer is. Pictures are in memory shared with the
compositor: two of them, so that none is drawn on while it is being read.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from gesturectl import wayland
from gesturectl.config import Display
from gesturectl.display.drawing import Picture
from gesturectl.display.screens import Hot
from gesturectl.display.spots import MARGIN, Monitor, chosen, sides
from gesturectl.display.spots import at as found_at
from gesturectl.errors import DesktopError
from gesturectl.wayland import REGISTRY_GLOBAL, Client, Global, Message, message

# Source: wayland.xml, wlr-layer-shell-unstable-v1.xml, xdg-output-unstable-v1.xml; requests and
# events are numbered in the order of these files.
GLOBAL_REMOVE: Final = 1
CREATE_SURFACE, CREATE_REGION = 0, 1  # of wl_compositor
SURFACE_DESTROY, ATTACH, INPUT_REGION, COMMIT, BUFFER_SCALE, DAMAGE_BUFFER = 0, 1, 5, 6, 8, 9
CREATE_POOL, CREATE_BUFFER, POOL_DESTROY, BUFFER_DESTROY = 0, 0, 1, 0
BUFFER_RELEASE: Final = 0
GEOMETRY, MODE, DONE, SCALE, NAME = 0, 1, 2, 3, 4  # of wl_output
GET_LAYER: Final = 0
SET_SIZE, SET_ANCHOR, SET_EXCLUSIVE, SET_MARGIN, ACK, LAYER_DESTROY = 0, 1, 2, 3, 6, 7
CONFIGURE, CLOSED = 0, 1
GET_XDG_OUTPUT: Final = 1
LOGICAL_POSITION, LOGICAL_SIZE, XDG_NAME = 0, 1, 3
OVERLAY: Final = 3
TOP, BOTTOM, LEFT, RIGHT = 1, 2, 4, 8
ARGB8888: Final = 0
CURRENT_MODE: Final = 1

COMPOSITOR, SHM, OUTPUT = "wl_compositor", "wl_shm", "wl_output"
SHELL, OUTPUTS = "zwlr_layer_shell_v1", "zxdg_output_manager_v1"
VERSIONS: Final = {COMPOSITOR: 4, SHM: 1, OUTPUT: 4, SHELL: 1, OUTPUTS: 2}

Memory = Callable[[int, int], tuple[int, mmap.mmap]]
"""Makes a buffer of so many pixels, across and down; returns its number, and its memory."""


@dataclass(slots=True)
class _Output:
    """A monitor as it is told in parts; `name` of the registry."""

    number: int
    monitor: Monitor
    told_size: bool = False


class LayerScreen:
    """The screen of the Wayland desktop at `path`, by default that of the environment.

    Raises:
        DesktopError: there is none, or it has no layers.
    """

    def __init__(self, settings: Display, path: str | None = None) -> None:
        self._settings = settings
        self._outputs: dict[int, _Output] = {}  # by our number of the output
        self._described: dict[int, int] = {}  # xdg_output → output
        self._layers: dict[int, _Layer] = {}  # by the number of the layer
        self._changed = False
        self._started = False
        self._client = Client(
            path or wayland.display_path(), self._take_in, DesktopError, "nothing is shown any more"
        )
        try:
            self._client.read_globals()
            offered = self._client.globals
            for name in (COMPOSITOR, SHM, SHELL):
                if name not in offered:
                    raise DesktopError(f"this Wayland desktop has no {name}")
            if offered[COMPOSITOR].version < VERSIONS[COMPOSITOR]:
                raise DesktopError("this Wayland desktop is too old for a display")
            self._compositor, self._shm, self._shell = (
                self._bind(offered[name]) for name in (COMPOSITOR, SHM, SHELL)
            )
            self._outputs_of = self._bind(offered[OUTPUTS]) if OUTPUTS in offered else 0
            self._started = True
            for number in self._outputs:
                self._describe(number)
            self._client.round_trip()
        except DesktopError:
            self._client.close()
            raise
        self._panel: _Layer | None = None
        self._ring: _Layer | None = None
        self._changed = False

    # --- as `Screen` asks ---------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """Whole: what is between is scaled down by the compositor."""
        return self._main.scale

    def fileno(self) -> int:
        return self._client.fileno()

    def read(self) -> bool:
        self._client.read_events()
        for layer in self._all():
            if layer.closed:
                self._remove(layer)
                self._changed = True
        changed, self._changed = self._changed, False
        if changed:
            self._clear()
        return changed

    def arrange(self, settings: Display) -> None:
        self._settings = settings
        self._clear()

    def show(self, panel: Picture | None) -> None:
        if panel is None or not self._outputs:
            self._remove(self._panel)
            return
        monitor = self._main
        if self._panel is None or self._panel.monitor != monitor:
            self._remove(self._panel)
            across, down = sides(self._settings.place)
            anchor = (LEFT, 0, RIGHT)[across + 1] | (TOP, 0, BOTTOM)[down + 1]
            margin = round(MARGIN * self._settings.size)
            self._panel = self._layer(monitor, "panel", anchor, (margin,) * 4)
        self._panel.show(panel)

    def finds(self, at: tuple[float, float] | None) -> bool:
        return at is not None and found_at(self._monitors, at) is not None

    def point(self, ring: Picture | None, hot: Hot, at: tuple[float, float] | None) -> None:
        spot = None if at is None else found_at(self._monitors, at)
        if ring is None or spot is None:
            self._remove(self._ring)
            return
        monitor, x, y = spot
        if self._ring is None or self._ring.monitor != monitor:
            self._remove(self._ring)
            self._ring = self._layer(monitor, "countdown", TOP | LEFT, (0, 0, 0, 0), over=True)
        left, top = x - round(hot[0] / monitor.scale), y - round(hot[1] / monitor.scale)
        self._ring.move((top, 0, 0, left))
        self._ring.show(ring)

    def close(self) -> None:
        self._client.close()

    # --- monitors -----------------------------------------------------------------------------

    @property
    def _monitors(self) -> list[Monitor]:
        return [one.monitor for one in self._outputs.values()]

    @property
    def _main(self) -> Monitor:
        return chosen(self._monitors, self._settings.screen) or Monitor("", 0, 0, 0, 0)

    def _describe(self, number: int) -> None:
        if self._outputs_of:
            described = self._client.number()
            self._described[described] = number
            self._client.send(self._outputs_of, GET_XDG_OUTPUT, described, number)

    def _output_says(self, number: int, event: int, body: bytes) -> None:
        output = self._outputs[number]
        monitor = output.monitor
        if event == GEOMETRY and not output.told_size:
            x, y = struct.unpack_from("=ii", body)
            monitor = replace(monitor, x=x, y=y)
        elif event == MODE and not output.told_size:
            flags, width, height = struct.unpack_from("=Iii", body)
            if flags & CURRENT_MODE:
                monitor = replace(monitor, width=width, height=height)
        elif event == SCALE:
            (scale,) = struct.unpack_from("=i", body)
            monitor = replace(monitor, scale=float(max(scale, 1)))
        elif event == NAME:
            monitor = replace(monitor, name=wayland.read_string(body, 0))
        self._told_of(output, monitor)

    def _logically(self, number: int, event: int, body: bytes) -> None:
        if number not in self._outputs:
            return
        output = self._outputs[number]
        monitor = output.monitor
        if event == LOGICAL_POSITION:
            x, y = struct.unpack_from("=ii", body)
            monitor = replace(monitor, x=x, y=y)
        elif event == LOGICAL_SIZE:
            width, height = struct.unpack_from("=ii", body)
            output.told_size = True
            monitor = replace(monitor, width=width, height=height)
        elif event == XDG_NAME:
            monitor = replace(monitor, name=wayland.read_string(body, 0))
        self._told_of(output, monitor)

    def _told_of(self, output: _Output, monitor: Monitor) -> None:
        if monitor != output.monitor:
            output.monitor = monitor
            self._changed = True

    # --- layers -------------------------------------------------------------------------------

    def _layer(
        self,
        monitor: Monitor,
        name: str,
        anchor: int,
        margin: tuple[int, ...],
        *,
        over: bool = False,
    ) -> _Layer:
        output = next(n for n, one in self._outputs.items() if one.monitor == monitor)
        surface, layer, nothing = (self._client.number() for _ in range(3))
        self._client.send(self._compositor, CREATE_SURFACE, surface)
        self._client.send(
            self._shell, GET_LAYER, layer, surface, output, OVERLAY,
            body=wayland.string(f"gesturectl-{name}"),
        )  # fmt: skip
        self._client.send(self._compositor, CREATE_REGION, nothing)
        self._client.send(surface, INPUT_REGION, nothing)
        self._client.send(nothing, 0)
        self._client.send(surface, BUFFER_SCALE, int(monitor.scale))
        self._client.send(layer, SET_ANCHOR, anchor)
        # A panel gives way to the bars of the desktop; the ring is where the pointer is.
        self._client.send(layer, SET_EXCLUSIVE, -1 if over else 0)
        made = _Layer(self._client, self._memory, monitor, surface, layer)
        self._layers[layer] = made
        made.move(margin)
        return made

    def _all(self) -> list[_Layer]:
        return [one for one in (self._panel, self._ring) if one is not None]

    def _clear(self) -> None:
        for layer in self._all():
            self._remove(layer)

    def _remove(self, layer: _Layer | None) -> None:
        if layer is not None:
            del self._layers[layer.number]
            layer.destroy()
            if layer is self._panel:
                self._panel = None
            else:
                self._ring = None

    # --- the wire -----------------------------------------------------------------------------

    def _take_in(self, told: Message) -> None:
        of, event, body = told
        if of == self._client.registry and event == REGISTRY_GLOBAL:
            offered = wayland.read_global(body)
            if offered.interface == OUTPUT:
                number = self._bind(offered)
                self._outputs[number] = _Output(offered.name, Monitor("", 0, 0, 0, 0))
                if self._started:
                    self._describe(number)
        elif of == self._client.registry and event == GLOBAL_REMOVE:
            (gone,) = struct.unpack_from("=I", body)
            for number, output in list(self._outputs.items()):
                if output.number == gone:
                    del self._outputs[number]
                    self._changed = True
        elif of in self._outputs:
            self._output_says(of, event, body)
        elif of in self._described:
            self._logically(self._described[of], event, body)
        elif of in self._layers:
            self._layers[of].take_in(event, body)
        elif event == BUFFER_RELEASE:
            for layer in self._layers.values():
                layer.released(of)

    def _bind(self, offered: Global) -> int:
        return self._client.bind(offered, VERSIONS[offered.interface])

    def _memory(self, width: int, height: int) -> tuple[int, mmap.mmap]:
        size = width * height * 4
        file = wayland.shared_memory("gesturectl-display")
        try:
            os.ftruncate(file, size)
            pixels = mmap.mmap(file, size)
            pool, buffer = self._client.number(), self._client.number()
            self._client.write(message(self._shm, CREATE_POOL, pool, size), file)
        finally:
            os.close(file)
        self._client.send(pool, CREATE_BUFFER, buffer, 0, width, height, width * 4, ARGB8888)
        self._client.send(pool, POOL_DESTROY)
        return buffer, pixels


@dataclass(slots=True)
class _Layer:
    """One surface over all windows. A picture waits until it is configured and a buffer is free."""

    client: Client
    memory: Memory
    monitor: Monitor
    surface: int
    number: int
    closed: bool = False
    configured: bool = False
    size: tuple[int, int] = (0, 0)
    margin: tuple[int, ...] = ()
    waiting: Picture | None = None
    buffers: dict[int, mmap.mmap] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)

    def move(self, margin: tuple[int, ...]) -> None:
        """Take these distances from the sides of the output: top, right, bottom, left."""
        if margin != self.margin:
            self.margin = margin
            self.client.send(self.number, SET_MARGIN, *margin)

    def show(self, picture: Picture) -> None:
        """Show a picture, as soon as that can be."""
        height, width = picture.shape[:2]
        scale = int(self.monitor.scale)
        height, width = -(-height // scale) * scale, -(-width // scale) * scale
        if (height, width) != picture.shape[:2]:  # a buffer holds whole lengths
            grown = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
            picture = np.pad(picture, grown)
        if (width, height) != self.size:
            self.size, self.configured = (width, height), False
            self._forget()
            self.client.send(self.number, SET_SIZE, width // scale, height // scale)
            self.client.send(self.surface, COMMIT)
        self.waiting = picture
        self._draw()

    def take_in(self, event: int, body: bytes) -> None:
        """Hear what the compositor says of it."""
        if event == CONFIGURE:
            (serial,) = struct.unpack_from("=I", body)
            self.client.send(self.number, ACK, serial)
            self.configured = True
            self._draw()
        elif event == CLOSED:
            self.closed = True

    def released(self, buffer: int) -> None:
        """Hear that the compositor has read a buffer."""
        if buffer in self.busy:
            self.busy.discard(buffer)
            self._draw()

    def destroy(self) -> None:
        """Take it off the screen."""
        self.client.send(self.number, LAYER_DESTROY)
        self.client.send(self.surface, SURFACE_DESTROY)
        self._forget()

    def _draw(self) -> None:
        if self.waiting is None or not self.configured or len(self.busy) == 2:
            return
        width, height = self.size
        free = next((one for one in self.buffers if one not in self.busy), None)
        if free is None:
            free, pixels = self.memory(width, height)
            self.buffers[free] = pixels
        self.buffers[free][:] = np.ascontiguousarray(self.waiting[:, :, [2, 1, 0, 3]]).tobytes()
        self.waiting = None
        self.busy.add(free)
        self.client.send(self.surface, ATTACH, free, 0, 0)
        self.client.send(self.surface, DAMAGE_BUFFER, 0, 0, width, height)
        self.client.send(self.surface, COMMIT)

    def _forget(self) -> None:
        for buffer, pixels in self.buffers.items():
            self.client.send(buffer, BUFFER_DESTROY)
            pixels.close()
        self.buffers.clear()
        self.busy.clear()
