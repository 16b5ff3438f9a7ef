"""Which hosts may be talked to: this machine, and those that the user's own settings allow.

A name is judged twice. When a profile is read, by how it is written; when a message is sent, by
the addresses it has then: `localhost` in a strange hosts file, or an address that only looks like
this machine's, leads nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def host(text: str) -> str:
    """Return a host as it is compared: a name in small letters, or an address in its short form.

    Raises:
        ValueError: it is neither.
    """
    name = text.strip().casefold().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if len(name) <= 253 and _NAME.fullmatch(name):
            return name
    raise ValueError(f"`{text}` is neither the name of a host nor an address")


def endpoint(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Read `localhost:9000`, `127.0.0.1:9000` or `[::1]:9000`.

    Raises:
        ValueError: it is none of them, or has no port and there is no default.
    """
    if not re.fullmatch(r"[\w.-]+(:\d*)?|\[[\da-f:.]+\](:\d*)?", text, re.IGNORECASE | re.ASCII):
        raise ValueError(f"`{text}` is not a host with its port, like `localhost:9000`")
    parts = urlsplit(f"//{text}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"the port of `{text}` is not a number from 1 to 65535") from None
    port = default_port if port is None else port
    if not port:
        raise ValueError(f"`{text}` has no port, as in `localhost:9000`")
    return host(parts.hostname or ""), port


def web_endpoint(url: str) -> tuple[str, int]:
    """Return the host and port of a web address.

    Raises:
        ValueError: it is not one of http or https, or holds a name and password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"`{url}` is not an address of the web") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not _is_plain(url):
        raise ValueError(f"`{url}` is not an address like `http://localhost:8123/api/lamp`")
    if parts.username is not None or parts.password is not None:
        raise ValueError("this address holds a name or password, which a profile should not")
    return host(parts.hostname), port or (443 if parts.scheme == "https" else 80)


def _is_plain(url: str) -> bool:
    """Whether it can stand in a request as it is: no blanks, and nothing beyond ASCII."""
    return all("!" <= character <= "~" for character in url)


def is_allowed(name: str, allow_hosts: Collection[str]) -> bool:
    """Whether a host, as `host` returns it, may be talked to by how it is written."""
    return name in allow_hosts or name == "localhost" or is_this_machine(name)


def is_this_machine(address: str) -> bool:
    """Whether an address is a loopback one; False for names."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
