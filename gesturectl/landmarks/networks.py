"""One network of a bundle, run by LiteRT: a crop in, its tensors out.

A bundle (`hand_landmarker.task`) is a zip that holds networks as TensorFlow Lite files. What
comes from such a file is checked before it is used: a network with other inputs and outputs than
the code expects is an error with the bundle's name, never a wrong landmark.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gesturectl.errors import ModelError
from gesturectl.landmarks.quiet import without_chatter
from gesturectl.landmarks.regions import Pixels
from gesturectl.types import Float32

Shape = tuple[int, ...]
MAX_BYTES: Final = 64 << 20  # the largest network of MediaPipe's bundles has 26 MB


class Network:
    """A network with one picture as input. The picture to look at is written in place.

    Args:
        bundle: the file that holds it.
        name: the name of the network in the bundle.
        outputs: the shapes of its outputs, in the order of their names.
        wanted: which of them `run` gives.
        signed: whether colours are taken in -1..1, not in 0..1.

    Raises:
        ModelError: the bundle cannot be read, or holds another network.
    """

    def __init__(
        self,
        bundle: Path,
        name: str,
        outputs: Sequence[Shape],
        *,
        wanted: Sequence[int],
        signed: bool = False,
    ) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except (ImportError, OSError) as error:
            raise ModelError(f"LiteRT cannot be loaded: {error}") from error

        content = _member(bundle, name)
        try:
            with without_chatter():
                self._interpreter: Any = Interpreter(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
            (taken,) = self._interpreter.get_input_details()
            given = sorted(self._interpreter.get_output_details(), key=lambda one: one["name"])
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{bundle}: {name} is no network: {str(error).strip()}") from error
        shapes = [tuple(int(n) for n in one["shape"]) for one in given]
        picture = [int(n) for n in taken["shape"]]
        sound = picture == [1, *picture[1:2] * 2, 3] and shapes == list(outputs)
        if not sound or any(one["dtype"] is not np.float32 for one in (taken, *given)):
            raise ModelError(f"{bundle}: {name} is another network than this version works with")
        self.side_px = picture[1]
        self._picture = np.empty(picture[1:], np.uint8)
        self._input: Callable[[], Float32] = self._interpreter.tensor(taken["index"])
        self._outputs: list[Callable[[], Float32]] = [
            self._interpreter.tensor(given[one]["index"]) for one in wanted
        ]
        self._scale = np.float32((2.0 if signed else 1.0) / 255.0)
        self._least = np.float32(-1.0 if signed else 0.0)

    @property
    def picture(self) -> Pixels:
        """What the next run looks at, uint8 (side_px, side_px, 3), to be written to."""
        return self._picture

    def run(self) -> list[Float32]:
        """Look at the picture; return the wanted outputs, each without its first axis of one.

        LiteRT lets go of Python's lock meanwhile.
        """
        taken = self._input()[0]
        np.multiply(self._picture, self._scale, out=taken)
        if self._least:
            taken += self._least
        del taken  # LiteRT refuses to run while somebody looks at its memory
        self._interpreter.invoke()
        return [output()[0].copy() for output in self._outputs]


def _member(bundle: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(bundle) as members, members.open(name) as file:
            content = file.read(MAX_BYTES + 1)
    except KeyError:
        raise ModelError(f"{bundle} holds no {name}") from None
    except (OSError, zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise ModelError(f"{bundle} cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise ModelError(f"{bundle}: {name} has more than {MAX_BYTES >> 20} MB")
    return content
