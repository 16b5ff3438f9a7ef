"""Gather a profile and all that it imports: files → nodes, each with its own text to quote from.

    slides.yaml ──imports──▶ common.yaml ──▶ shipped/media

A file is named beside the one that imports it, or is a shipped one. Each is read once, however
often it is named; cycles, missing files and too many of them are problems at the line that asks.
What is imported is as little trusted as a profile from a stranger: it can never start programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

from gesturectl import yamlnodes
from gesturectl.fields import advise
from gesturectl.yamlnodes import LIMITS, Problem, Scalar, SourceText

MAX_FILES: Final = 32
SHIPPED: Final = "shipped/"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was read. `node` is a mapping of keys, or None where it could not be read."""

    source: SourceText
    node: yamlnodes.Mapping | None
    imported: bool
    path: Traversable | None = None

    @property
    def keys(self) -> yamlnodes.Mapping:
        """Its keys and values: none where it could not be read."""
        return self.node or yamlnodes.Mapping({}, yamlnodes.Place(0, 0), 1, 1)


@dataclass(slots=True)
class Gathered:
    """All files of a profile, the profile itself first, and what was wrong with reading them."""

    files: list[SourceFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def paths(self) -> tuple[Traversable, ...]:
        """Where the files lie."""
        return tuple(file.path for file in self.files if file.path is not None)


def gather(
    data: str | bytes,
    filename: str,
    path: Traversable | None,
    folder: Traversable | None,
    shipped: Callable[[], Mapping[str, Traversable]],
) -> Gathered:
    """Read a profile's text and every file that it imports, directly or through others.

    `folder` is where its imports lie; without one, as for a text of no file, only shipped profiles
    can be imported. `shipped` gives these by name.
    """
    gathering = _Gathering(shipped)
    gathering.take(data, filename, path, folder, imported=False)
    return gathering.found


@dataclass(slots=True)
class _Gathering:
    shipped: Callable[[], Mapping[str, Traversable]]
    found: Gathered = field(default_factory=Gathered)
    seen: set[str] = field(default_factory=set)

    def take(
        self,
        data: str | bytes,
        filename: str,
        path: Traversable | None,
        folder: Traversable | None,
        *,
        imported: bool,
    ) -> None:
        self.seen.add(str(path) if path is not None else filename)
        source, node, problems = yamlnodes.read(data, filename)
        self.found.problems += problems
        mapping = node if isinstance(node, yamlnodes.Mapping) else None
        if mapping is None and not problems:
            message = "this file is empty" if node is None else _NO_MAPPING
            place = yamlnodes.Place(0, 0) if node is None else node.place
            self.found.problems.append(source.problem(place, message, MINIMAL))
        self.found.files.append(SourceFile(source, mapping, imported, path))
        if mapping is not None:
            for scalar in _named(mapping):
                self.follow(scalar, source, folder)

    def follow(self, scalar: Scalar, source: SourceText, folder: Traversable | None) -> None:
        """Read one file that is asked for, or note why it cannot be."""
        try:
            path, beside = self.where(scalar.text, folder)
            if str(path) in self.seen:
                return
            if len(self.found.files) >= MAX_FILES:
                raise _Missing(f"with this, more than {MAX_FILES} files are imported")
            with path.open("rb") as file:
                data = file.read(LIMITS.size_bytes + 1)
        except _Missing as missing:
            advice = missing.advice
            self.found.problems.append(source.problem(scalar.place, str(missing), advice))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            message = f"`{scalar.text}` cannot be read: {reason}"
            advice = "imports lie beside this file, or are `shipped/NAME`"
            self.found.problems.append(source.problem(scalar.place, message, advice))
        else:
            self.take(data, str(path), path, beside, imported=True)

    def where(
        self, name: str, folder: Traversable | None
    ) -> tuple[Traversable, Traversable | None]:
        """Return a file and the folder of what it imports in turn."""
        if name.startswith(SHIPPED):
            profiles = self.shipped()
            bare = name.removeprefix(SHIPPED)
            if bare not in profiles:
                raise _Missing(f"no shipped profile is called `{bare}`", advise(bare, profiles))
            return profiles[bare], None
        if folder is None:
            raise _Missing("only shipped profiles can be imported here", "write `shipped/NAME`")
        steps = PurePosixPath(name)
        if steps.is_absolute() or ".." in steps.parts or "\\" in name or not steps.parts:
            raise _Missing(f"`{name}` leads elsewhere", "imports lie beside this file or below it")
        path = folder.joinpath(*steps.parts)
        return path, folder.joinpath(*steps.parts[:-1])


class _Missing(Exception):  # noqa: N818 — says why a file is not there
    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


_NO_MAPPING: Final = "a profile is a mapping of keys and values"
MINIMAL: Final = """\
write at least
version: 1
bindings:
  - {gesture: swipe_left, do: {key: Right}}"""


def _named(node: yamlnodes.Mapping) -> Iterator[Scalar]:
    """Yield the names under `imports`; what is no name is said where values are checked."""
    written = node.value("imports")
    for item in () if written is None else yamlnodes.listed(written):
        if isinstance(item, Scalar) and not item.blank:
            yield item
