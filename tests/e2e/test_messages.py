"""Messages arrive for real: at a web server, a UDP socket, a broker, a D-Bus service, a program.

All servers are of this machine and of one test; what speaks and plays are small programs on a PATH
of the test's own.
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from gesturectl.rig import Choice, open_rig
from gesturectl.sinks import network
from gesturectl.sinks.courier import ROOM, WAYS, Courier, Message, Way, check
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import Mqtt, Notify, Osc, Play, Say, Webhook
from tests.conftest import require_program
from tests.e2e.bus import notification_service
from tests.sessionbus import running_bus

ARRIVES_S = 10.0  # far more than it takes


@pytest.fixture
def courier() -> Iterator[Courier]:
    courier = Courier()
    yield courier
    courier.close()


def delivered(message: Message) -> None:
    """Send one message and wait until it is delivered, or told why not."""
    courier = Courier()
    courier.send(message)
    courier.close(patience_s=ARRIVES_S)


# --- webhook ------------------------------------------------------------------------------------


class WebServer(ThreadingHTTPServer):
    """Keeps what is posted; answers as `answer` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.posted: Queue[tuple[str, dict[str, str], str]] = Queue()
        self.answer = (200, {})  # type: tuple[int, dict[str, str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, WebServer)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server.posted.put((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, headers = server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    with serving(server):
        yield server


def test_a_webhook_is_posted_as_json(web: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    delivered(Webhook(0, f"{web.url}/api/lamp?now=1", '{"state": "grün"}'))
    path, headers, body = web.posted.get(timeout=ARRIVES_S)
    assert (path, body) == ("/api/lamp?now=1", '{"state": "grün"}')
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{web.server_port}"
    assert caplog.records == []


def test_no_proxy_stands_between(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    delivered(Webhook(0, f"{web.url}/", "{}"))
    assert web.posted.get(timeout=ARRIVES_S)[0] == "/"


def test_a_redirect_is_refused_and_not_followed(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    web.answer = (307, {"Location": f"{web.url}/elsewhere"})
    delivered(Webhook(0, f"{web.url}/here", "{}"))
    assert web.posted.get(timeout=ARRIVES_S)[0] == "/here"
    assert web.posted.empty()
    assert f"webhook: 127.0.0.1:{web.server_port} sends elsewhere (307)" in caplog.text


def test_a_failure_is_told_once_and_without_the_address_s_secrets(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    web.answer = (404, {})
    courier = Courier()
    for _ in range(3):
        courier.send(Webhook(0, f"{web.url}/secret", '"secret"'))
    courier.close(patience_s=ARRIVES_S)
    assert caplog.messages == [f"webhook: 127.0.0.1:{web.server_port} answers 404 Not Found"]


def test_nobody_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    delivered(Webhook(0, f"http://127.0.0.1:{port}/", "{}"))
    assert f"webhook: 127.0.0.1:{port} does not take it" in caplog.text


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of `localhost` that nobody trusts yet, and its key."""
    require_program("openssl")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = (
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *(
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ),
        *("-keyout", key, "-out", certificate),
    )
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def test_an_https_server_must_prove_who_it_is(
    web: WebServer,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(*certificate)
    web.socket = secure.wrap_socket(web.socket, server_side=True)
    hook = Webhook(0, f"https://localhost:{web.server_port}/safe", "{}")
    delivered(hook)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert web.posted.empty()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    delivered(hook)
    assert web.posted.get(timeout=ARRIVES_S)[0] == "/safe"


# --- which machine ------------------------------------------------------------------------------


def test_a_name_that_leads_elsewhere_when_it_is_sent_to_is_refused(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`localhost` is believed when a profile is read; when it is sent to, it is looked up."""

    def looked_up(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    delivered(Webhook(0, f"http://localhost:{web.server_port}/", "{}"))
    assert "webhook: localhost is 192.0.2.1, which is not this machine" in caplog.text
    assert web.posted.empty()


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "::", "2001:db8::1"])  # noqa: S104
def test_other_machines_are_refused_by_every_way(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("pythonosc")
    pytest.importorskip("paho.mqtt")
    bracketed = f"[{host}]" if ":" in host else host
    delivered(Webhook(0, f"http://{bracketed}:9/", "{}"))
    delivered(Osc(0, host, 9, "/a"))
    delivered(Mqtt(0, host, 9, "a", "b"))
    assert len(caplog.messages) == 3
    assert all("is not this machine" in message for message in caplog.messages), caplog.messages


def test_hosts_that_are_allowed_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    found = network.addresses("lamp.local", 80, {"lamp.local"}, socket.SOCK_STREAM)
    assert found == ["192.0.2.1"]


# --- OSC ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_osc_message_is_the_datagram_of_its_specification(host: str) -> None:
    pytest.importorskip("pythonosc")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        receiver.settimeout(ARRIVES_S)
        delivered(Osc(0, host, receiver.getsockname()[1], "/mixer/volume", (1, 0.5, "on")))
        assert receiver.recv(1024) == (
            b"/mixer/volume\0\0\0" + b",ifs\0\0\0\0" + b"\0\0\0\1" + b"\x3f\0\0\0" + b"on\0\0"
        )


# --- MQTT ---------------------------------------------------------------------------------------

CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT = 0x10, 0x20, 0x30, 0x40, 0xE0  # by MQTT 3.1.1


class Broker(socketserver.ThreadingTCPServer):
    """As much of a broker as one message needs: answers CONNECT and PUBLISH."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.published: Queue[tuple[str, str]] = Queue()
        self.goodbyes: Queue[int] = Queue()
        self.lets_in = True

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: Broker

    def handle(self) -> None:
        while head := self.rfile.read(1):
            packet = self.rfile.read(self.rfile.read(1)[0])  # short packets: one byte of length
            match head[0] & 0xF0:
                case 0x10:
                    self.wfile.write(bytes((CONNACK, 2, 0, 0 if self.server.lets_in else 5)))
                case 0x30:
                    size = int.from_bytes(packet[:2], "big")
                    topic, rest = packet[2 : 2 + size], packet[2 + size :]
                    self.server.published.put((topic.decode(), rest[2:].decode()))
                    self.wfile.write(bytes((PUBACK, 2)) + rest[:2])
                case 0xE0:
                    self.server.goodbyes.put(head[0])
                    return


@pytest.fixture
def broker() -> Iterator[Broker]:
    pytest.importorskip("paho.mqtt")
    server = Broker()
    with serving(server):
        yield server


def test_a_message_is_published_confirmed_and_the_broker_left_politely(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    delivered(Mqtt(0, "localhost", broker.port, "home/lamp/set", "grün"))
    assert broker.published.get(timeout=ARRIVES_S) == ("home/lamp/set", "grün")
    assert broker.goodbyes.get(timeout=ARRIVES_S) == DISCONNECT
    assert caplog.messages == []


def test_a_broker_that_wants_a_password_is_told_of(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.lets_in = False
    delivered(Mqtt(0, "127.0.0.1", broker.port, "a", "b"))
    assert "lets nobody in without a password" in caplog.text
    assert broker.published.empty()


def test_no_broker_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("paho.mqtt")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    delivered(Mqtt(0, "127.0.0.1", port, "a", "b"))
    assert f"mqtt: the broker at 127.0.0.1:{port} does not answer" in caplog.text


def test_a_proxy_for_mqtt_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("mqtt_proxy", "http://192.0.2.1:9")
    delivered(Mqtt(0, "127.0.0.1", 9, "a", "b"))
    assert "mqtt: a proxy is set (mqtt_proxy)" in caplog.text
    assert list(check({Mqtt, Webhook})) == ["mqtt"]


# --- notifications ------------------------------------------------------------------------------


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A D-Bus of the test's own, with no service in it."""
    require_program("dbus-daemon")
    with running_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


def test_a_notification_is_shown_and_the_next_takes_its_place(
    bus: str, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    with notification_service(bus) as shown:
        assert check({Notify}) == {}
        courier.send(Notify(0, "<b>awake</b> & well"))
        courier.send(Notify(1, "asleep"))
        first, second = shown.get(timeout=ARRIVES_S), shown.get(timeout=ARRIVES_S)
    assert (first["app"], first["summary"], first["body"]) == (
        *("gesturectl", "<b>awake</b> & well", ""),
    )
    assert first["hints"]["transient"].value is True
    assert (first["replaces_id"], second["replaces_id"]) == (0, 41)
    assert caplog.messages == []


def test_a_bus_that_nobody_has_named_is_found_where_systemd_puts_it(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("dbus-daemon")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    with running_bus(short_folder, "bus") as address, notification_service(address):
        assert check({Notify}) == {}


def test_a_desktop_that_shows_no_notifications_is_told_of(
    bus: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert "no program of this desktop shows notifications" in check({Notify})["notify"]
    delivered(Notify(0, "hello"))
    assert "notify: no program of this desktop shows notifications" in caplog.text


@pytest.mark.parametrize("known", [True, False], ids=["a_dead_address", "no_address"])
@pytest.mark.parametrize("display", ["", ":4321"])
def test_no_session_bus_is_told_of(
    known: bool,
    display: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISPLAY", display)
    if known:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    assert "this session has no D-Bus" in check({Notify})["notify"]
    delivered(Notify(0, "hello"))
    assert caplog.messages == [f"notify: {check({Notify})['notify']}"]


# --- speech and sounds --------------------------------------------------------------------------


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    """What the programs of the test were told, one line each."""
    return tmp_path / "heard"


@pytest.fixture
def install(
    tmp_path: Path, heard: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Put a program on a PATH that has no other: it writes down its arguments and its input."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("sys.platform", "linux")

    def add(name: str, exit_code: int = 0, complaint: str = "") -> None:
        program = folder / name
        program.write_text(
            "#!/bin/sh\n"
            f'read -r line\nprintf "%s|" {name} "$@" "$line" >>{heard}\necho >>{heard}\n'
            f'echo "{complaint or name + " has no voice"}" >&2\nexit {exit_code}\n'
        )
        program.chmod(0o755)

    yield add


def test_texts_are_spoken_one_after_the_other(
    install: Callable[..., None], heard: Path, courier: Courier
) -> None:
    install("spd-say")
    for text in ("--version", "wach", "müde"):
        courier.send(Say(0, text))
    courier.close(ARRIVES_S)
    assert heard.read_text().splitlines() == [
        f"spd-say|--wait|--|{text}||" for text in ("--version", "wach", "müde")
    ]


def test_what_cannot_speak_leaves_it_to_the_next(
    install: Callable[..., None], heard: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("spd-say", exit_code=1)
    install("espeak-ng")
    delivered(Say(0, "hello"))
    assert heard.read_text().splitlines()[-1] == "espeak-ng|--stdin|hello|"
    assert caplog.messages == []


def test_a_voice_that_fails_is_told_of_but_not_what_it_was_to_say(
    install: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    install("spd-say", exit_code=1)
    delivered(Say(0, "my secret"))
    install("spd-say", exit_code=1, complaint="cannot say $3")
    delivered(Say(0, "my secret"))
    assert caplog.messages == [
        "say: spd-say failed: spd-say has no voice",
        "say: spd-say failed: exit 1",
    ]


def test_a_machine_without_a_voice_says_what_to_install(
    install: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    assert "install speech-dispatcher" in check({Say})["say"]
    assert "install pipewire-bin" in check({Play})["say: {sound: …}"]
    delivered(Say(0, "hello"))
    assert "say: no program here speaks; install speech-dispatcher" in caplog.text


def test_a_sound_is_found_by_its_name_among_the_desktop_s(
    install: Callable[..., None], heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = tmp_path / "share" / "sounds" / "freedesktop" / "stereo" / "bell.oga"
    sound.parent.mkdir(parents=True)
    sound.touch()
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    install("paplay")
    assert check({Play, Say}) == check({Say})
    delivered(Play(0, "bell"))
    assert heard.read_text() == f"paplay|{sound}||\n"


def test_a_sound_is_played_by_what_can_play_it(
    install: Callable[..., None], heard: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("done.ogg", "done.WAV"):
        (tmp_path / name).touch()
    install("aplay")
    delivered(Play(0, str(tmp_path / "done.WAV")))
    assert heard.read_text() == f"aplay|--quiet|--|{tmp_path / 'done.WAV'}||\n"
    delivered(Play(0, str(tmp_path / "done.ogg")))
    delivered(Play(0, str(tmp_path / "none.wav")))
    assert "no program here plays sounds" in caplog.text
    assert f"there is no sound file {tmp_path / 'none.wav'}" in caplog.text


def test_a_pipe_is_no_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    delivered(Play(0, str(tmp_path / "pipe.wav")))
    assert "there is no sound file" in caplog.text


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("darwin", Notify(0, "-e beep")),
        ("darwin", Say(0, "-e beep")),
        ("win32", Notify(0, "$(beep)")),
    ],
)
def test_elsewhere_a_text_is_given_to_the_system_but_never_as_a_part_of_a_script(
    platform: str,
    message: Notify | Say,
    install: Callable[..., None],
    heard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    for program in ("osascript", "say", "powershell"):
        install(program)
    delivered(message)
    told = heard.read_text().rstrip("\n").split("|")[:-1]
    if told[0] == "osascript":  # it reads nothing, and has the text as its last argument
        assert told.pop() == ""
    *arguments, text = told
    assert text == message.text
    assert all(message.text not in argument for argument in arguments)


# --- the courier --------------------------------------------------------------------------------


class Gate:
    """A way that is slow: delivers a message only when it is let."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.begun: Queue[str] = Queue()
        self.done: list[str] = []

    def way(self) -> Way:
        return Way("say", lambda hosts: self.deliver, lambda: None)

    def deliver(self, message: Say) -> None:
        self.begun.put(message.text)
        self.open.acquire()
        self.done.append(message.text)


def test_what_comes_too_fast_drops_the_oldest_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate()
    courier = Courier(ways={Say: gate.way()})
    courier.send(Say(0, "first"))
    assert gate.begun.get(timeout=ARRIVES_S) == "first"
    with caplog.at_level(logging.INFO):
        for number in range(ROOM + 3):
            courier.send(Say(0, f"{number}"))
        for _ in range(ROOM + 1):
            gate.open.release()
        courier.close(ARRIVES_S)
    assert gate.done == ["first", *(f"{number}" for number in range(3, ROOM + 3))]
    assert caplog.messages == [
        "say: more than can be delivered; the oldest are dropped",
        "say: 3 messages were dropped",
    ]


def test_closing_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    courier = Courier(ways={Say: gate.way()})
    for text in ("first", "second"):
        courier.send(Say(0, text))
    gate.begun.get(timeout=ARRIVES_S)
    with caplog.at_level(logging.INFO):
        courier.close(patience_s=0.01)
    assert caplog.messages == ["say: 1 messages were dropped"]
    gate.open.release()


def test_one_kind_does_not_wait_for_another(web: WebServer) -> None:
    gate = Gate()
    courier = Courier(ways={**WAYS, Say: gate.way()})
    courier.send(Say(0, "long"))
    courier.send(Webhook(0, f"{web.url}/now", "{}"))
    assert web.posted.get(timeout=ARRIVES_S)[0] == "/now"
    gate.open.release()
    courier.close(ARRIVES_S)


def test_a_bug_of_a_library_is_told_and_the_next_message_goes_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[str] = []

    def deliver(message: Say) -> None:
        if message.text == "bad":
            raise ZeroDivisionError
        heard.append(message.text)

    courier = Courier(ways={Say: Way("say", lambda hosts: deliver, lambda: None)})
    for text in ("bad", "bad", "good"):
        courier.send(Say(0, text))
    courier.close(ARRIVES_S)
    assert heard == ["good"]
    assert [record.message for record in caplog.records if record.levelno > logging.DEBUG] == [
        "say: not delivered: ZeroDivisionError; run with -vv to see where"
    ]


def test_a_courier_that_was_never_asked_has_no_threads() -> None:
    before = threading.active_count()
    Courier().close()
    assert threading.active_count() == before


# --- a whole run --------------------------------------------------------------------------------


class Voiceless(MemorySink):
    """A sink of a desktop that has no voice."""

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        return {"say": "install a voice"} if Say in kinds else {}


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        ("{gesture: ok, do: {say: hello}}", True),
        ("{gesture: ok, do: {notify: hello}}", False),
        ("{axis: vertical, gesture: fist, more: {say: up}, less: {key: Down}}", True),
    ],
)
def test_what_a_profile_cannot_say_here_is_told_at_the_start(
    binding: str, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    profile = tmp_path / "talking.yaml"
    profile.write_text(f"version: 1\nbindings: [{binding}]\n")
    trace = tmp_path / "nobody.jsonl"
    trace.write_text('{"format": "gesturectl-trace", "version": 1, "size_px": [640, 480]}\n')
    choice = Choice(f"trace:{trace}", str(profile), Voiceless(), own=False)
    with open_rig(choice, realtime=False):
        pass
    warning = f"profile {profile}: `say` does nothing here: install a voice"
    assert caplog.messages == [warning] * told
