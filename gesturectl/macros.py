"""Put the values of a macro's parameters into its actions, in the tree of nodes.

    macros: {search: {with: [what], do: [{key: ctrl+f}, {text: $what}]}}
    do: {macro: {name: search, what: cats}}     →     [{key: ctrl+f}, {text: cats}]

A parameter stands as `$name` or, where letters follow, `${name}`; `$$` is a dollar. Values are
texts: they are put in after YAML was read, and cannot become keys, lists or anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from gesturectl.yamlnodes import Items, Node, Scalar
from gesturectl.yamlnodes import Mapping as Keys

_PARAMETER: Final = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def filled(node: Node, values: Mapping[str, str]) -> Node:
    """Return the tree with every parameter replaced; what is not in `values` stays as it is."""
    match node:
        case Scalar():
            return replace(
                node, text=_PARAMETER.sub(lambda found: _value(found, values), node.text)
            )
        case Items():
            return replace(node, items=tuple(filled(item, values) for item in node.items))
        case Keys():
            entries = {
                name: (key, filled(one, values)) for name, (key, one) in node.entries.items()
            }
            return replace(node, entries=entries)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    name = found[1] or found[2]
    if name is None:
        return "$"
    return values.get(name, found[0])


def parameters(node: Node) -> Iterator[tuple[str, Scalar]]:
    """Yield the names that stand as parameters in a tree, each with its place."""
    match node:
        case Scalar():
            for found in _PARAMETER.finditer(node.text):
                if name := found[1] or found[2]:
                    yield name, node
        case Items():
            for item in node.items:
                yield from parameters(item)
        case Keys():
            for _, one in node.entries.values():
                yield from parameters(one)
