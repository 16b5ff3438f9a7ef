"""Send messages over the network: webhooks, OSC, MQTT. To this machine, unless more is allowed.

A host is judged by its addresses at the moment of sending, and exactly the address that was judged
is connected to: no second look-up, no proxy, no redirect can lead elsewhere.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Collection
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from gesturectl import hosts
from gesturectl.errors import SinkError
from gesturectl.types import Mqtt, Osc, Webhook

TIMEOUT_S: Final = 3.0  # of each step: connecting, sending, the answer


def addresses(
    host: str, port: int, allow_hosts: Collection[str], kind: socket.SocketKind
) -> list[str]:
    """Return the addresses of a host that may be talked to, as numbers, the system's order.

    Raises:
        SinkError: there is no such host, or it is not this machine and not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:
        raise SinkError(f"the host {host} is not known here ({error})") from error
    numbers = [str(entry[4][0]) for entry in found]
    if host in allow_hosts:
        return numbers
    if elsewhere := [number for number in numbers if not hosts.is_this_machine(number)]:
        raise SinkError(
            f"{host} is {elsewhere[0]}, which is not this machine; allow it with "
            f"`allow_hosts: [{host}]` in gesturectl's own configuration"
        )
    return numbers


def _connected(host: str, port: int, allow_hosts: Collection[str]) -> socket.socket:
    """Return a TCP connection to the first address of a host that answers."""
    problem: OSError = ConnectionRefusedError(f"{host} has no address")
    for address in addresses(host, port, allow_hosts, socket.SOCK_STREAM):
        try:
            return socket.create_connection((address, port), TIMEOUT_S)
        except OSError as error:
            problem = error
    raise problem


# --- webhook ------------------------------------------------------------------------------------


def poster(allow_hosts: Collection[str]) -> Callable[[Webhook], None]:
    """Return what posts webhooks."""

    def post(message: Webhook) -> None:
        try:
            host, port = hosts.web_endpoint(message.url)
        except ValueError as error:
            raise SinkError(str(error)) from error
        try:
            status = _post(message, host, port, allow_hosts)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise SinkError(
                f"{host}:{port} does not take it: {error or type(error).__name__}"
            ) from error
        if 300 <= status < 400:
            raise SinkError(
                f"{host}:{port} sends elsewhere ({status}), where gesturectl does not follow; "
                "write the address it moved to"
            )
        if not 200 <= status < 300:
            reason = http.client.responses.get(status, "")
            raise SinkError(f"{host}:{port} answers {status} {reason}".rstrip())

    return post


def _post(message: Webhook, host: str, port: int, allow_hosts: Collection[str]) -> int:
    """Post a message and return the status that is answered."""
    url = urlsplit(message.url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    connection.sock = _connected(host, port, allow_hosts)
    try:
        if url.scheme == "https":
            secure = ssl.create_default_context()
            connection.sock = secure.wrap_socket(connection.sock, server_hostname=host)
        headers = {
            "Host": url.netloc,
            "Content-Type": "application/json",
            "User-Agent": "gesturectl",
            "Connection": "close",
        }
        connection.request("POST", path, message.body.encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


# --- OSC ----------------------------------------------------------------------------------------


def osc_sender(allow_hosts: Collection[str]) -> Callable[[Osc], None]:
    """Return what sends messages of OSC, one datagram each. Nobody says whether it arrived."""
    types = {str: "s", int: "i", float: "f"}

    def send(message: Osc) -> None:
        if problem := osc_missing():
            raise SinkError(problem)
        from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

        builder = OscMessageBuilder(message.address)
        try:
            for argument in message.arguments:
                builder.add_arg(argument, types[type(argument)])
            datagram = builder.build().dgram
        except (BuildError, KeyError) as error:
            raise SinkError(f"{message.address} has an argument that OSC cannot carry") from error
        address = addresses(message.host, message.port, allow_hosts, socket.SOCK_DGRAM)[0]
        try:
            with socket.socket(_family(address), socket.SOCK_DGRAM) as sender:
                sender.sendto(datagram, (address, message.port))
        except OSError as error:
            raise SinkError(f"{message.host}:{message.port} cannot be sent to: {error}") from error

    return send


def _family(address: str) -> socket.AddressFamily:
    six = ipaddress.ip_address(address).version == 6
    return socket.AF_INET6 if six else socket.AF_INET


def osc_missing() -> str | None:
    """Return None where OSC can be sent, else the reason and what to do."""
    return _not_installed("pythonosc", "osc")


# --- MQTT ---------------------------------------------------------------------------------------


def publisher(allow_hosts: Collection[str]) -> Callable[[Mqtt], None]:
    """Return what publishes messages of MQTT, each in a connection of its own, at least once."""

    def publish(message: Mqtt) -> None:
        if missing := mqtt_missing():
            raise SinkError(missing)
        where = f"the broker at {message.host}:{message.port}"
        problem = "has no address"
        for address in addresses(message.host, message.port, allow_hosts, socket.SOCK_STREAM):
            try:
                refusal = _publish(message, address)
            except OSError as error:
                problem = f"does not answer: {error or type(error).__name__}"
                continue
            if refusal is None:
                return
            raise SinkError(f"{where} {refusal}")
        raise SinkError(f"{where} {problem}")

    return publish


def _publish(message: Mqtt, address: str) -> str | None:
    """Connect, publish, wait until the broker has confirmed; return what it refused, or None."""
    from paho.mqtt.client import MQTT_ERR_SUCCESS, Client
    from paho.mqtt.enums import CallbackAPIVersion

    outcome: list[str | None] = []

    def connected(client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            outcome.append(f"lets nobody in without a password ({reason}), and gesturectl has none")
        else:
            client.publish(message.topic, message.payload, qos=1)

    def confirmed(*about: Any) -> None:
        outcome.append(None)

    client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.connect_timeout = TIMEOUT_S
    client.on_connect = connected
    client.on_publish = confirmed
    client.connect(address, message.port)
    until_s = time.monotonic() + TIMEOUT_S
    try:
        while not outcome and time.monotonic() < until_s:
            if client.loop(0.1) != MQTT_ERR_SUCCESS and not outcome:
                return "ended the connection"
    finally:
        client.disconnect()
    return outcome[0] if outcome else f"does not confirm within {TIMEOUT_S:g} s"


def mqtt_missing() -> str | None:
    """Return None where MQTT can be published, else the reason and what to do."""
    if "mqtt" in urllib.request.getproxies():
        return "a proxy is set (mqtt_proxy), which could lead to another machine; unset it"
    return _not_installed("paho", "mqtt")


def _not_installed(module: str, extra: str) -> str | None:
    if find_spec(module) is None:
        return f"a package is missing; `pip install gesturectl[{extra}]`"
    return None
