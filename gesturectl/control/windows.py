"""What `pipes` asks of Windows, by the modules of Python on which asyncio's pipes stand.

`_overlapped` keeps what an operation reads or writes alive until Windows has let go of it; that is
why the calls are not made by ctypes. Only what is about users is: no module of Python has it.

[docs/decisions/0022-named-pipes.md](../../docs/decisions/0022-named-pipes.md) says why neither
`multiprocessing` nor asyncio serves here. Call names are those of Microsoft's documentation.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from ctypes import wintypes
from typing import Any, Final, Generic, TypeVar, cast

if sys.platform != "win32":
    raise ImportError("only Windows has such pipes")

import _overlapped  # type: ignore[import-not-found]
import _winapi

FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x0008_0000
PIPE_REJECT_REMOTE_CLIENTS: Final = 0x8  # bytes, not messages, are 0, as is a pipe that waits
SECURITY_SQOS_PRESENT: Final = 0x0010_0000
SECURITY_IDENTIFICATION: Final = 0x0001_0000  # the server may know who we are, not act as us
BUFFER_BYTES: Final = 65_536
ERROR_PIPE_BUSY: Final = 231
TOKEN_QUERY, TOKEN_USER = 0x8, 1
SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION = 6, 1
SDDL_REVISION_1: Final = 1

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel32.LocalFree.argtypes = [ctypes.c_void_p]
_kernel32.LocalFree.restype = ctypes.c_void_p
_kernel32.GetNamedPipeServerProcessId.argtypes = [wintypes.HANDLE, ctypes.POINTER(wintypes.ULONG)]
_advapi32.OpenProcessToken.argtypes = [
    wintypes.HANDLE,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.HANDLE),
]
_advapi32.GetTokenInformation.argtypes = [
    wintypes.HANDLE,
    ctypes.c_int,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.DWORD),
]
_advapi32.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
_advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
    wintypes.LPCWSTR,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
]
_advapi32.GetSecurityInfo.argtypes = [
    wintypes.HANDLE,
    ctypes.c_int,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
]


class _Attributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (
        ("nLength", wintypes.DWORD),
        ("lpSecurityDescriptor", ctypes.c_void_p),
        ("bInheritHandle", wintypes.BOOL),
    )


T_co = TypeVar("T_co", covariant=True)


class Begun(Generic[T_co]):
    """An operation that Windows works at."""

    def __init__(self, overlapped: Any, *, at_once: bool = False) -> None:
        self._overlapped, self._at_once = overlapped, at_once

    @property
    def done(self) -> bool:
        """Whether `result` is known."""
        return self._at_once or not self._overlapped.pending

    def result(self) -> T_co:
        """Return what came of it."""
        return cast(T_co, None if self._at_once else self._overlapped.getresult())

    def cancel(self) -> None:
        """Call it off."""
        if not self.done:
            self._overlapped.cancel()


class Windows:
    """A completion port, and the pipes that report to it."""

    def __init__(self) -> None:
        self._port = _overlapped.CreateIoCompletionPort(
            _overlapped.INVALID_HANDLE_VALUE, 0, 0, _winapi.INFINITE
        )
        # Each completion is told, also of what was done at once; until then it must be kept.
        self._begun: dict[int, Any] = {}

    def instance(self, name: str, *, first: bool) -> int:
        """Make an instance of a pipe."""
        how = _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED
        descriptor = _for_us_alone()
        attributes = _Attributes(ctypes.sizeof(_Attributes), descriptor, False)
        try:
            handle = _winapi.CreateNamedPipe(
                name,
                how | (FILE_FLAG_FIRST_PIPE_INSTANCE if first else 0),
                PIPE_REJECT_REMOTE_CLIENTS,
                _winapi.PIPE_UNLIMITED_INSTANCES,
                BUFFER_BYTES,
                BUFFER_BYTES,
                0,
                ctypes.addressof(attributes),
            )
        except PermissionError as error:
            if first:  # so Windows says that there is one
                raise FileExistsError(error.errno, error.strerror) from error
            raise
        finally:
            _kernel32.LocalFree(descriptor)
        return self._reporting(handle)

    def admit(self, handle: int) -> Begun[object]:
        """Begin to wait for a client."""
        overlapped = _overlapped.Overlapped(0)
        if overlapped.ConnectNamedPipe(handle):  # one is there already, and nothing is told of it
            return Begun(overlapped, at_once=True)
        return self._begin(overlapped)

    def dial(self, name: str) -> int:
        """Open a pipe as a client."""
        try:
            handle = _winapi.CreateFile(
                name,
                _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
                0,
                0,
                _winapi.OPEN_EXISTING,
                _winapi.FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                0,
            )
        except OSError as error:
            if error.winerror == ERROR_PIPE_BUSY:
                raise BlockingIOError(error.errno, error.strerror) from error
            raise
        try:
            _refuse_strangers(handle)
        except OSError:
            _winapi.CloseHandle(handle)
            raise
        return self._reporting(handle)

    async def streams(self, name: str) -> tuple[StreamReader, StreamWriter]:
        """Open a pipe as a client, for an event loop."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.ProactorEventLoop):
            raise TypeError("of the event loops of Windows, asyncio's usual one alone has pipes")
        reader = StreamReader(loop=loop)
        transport, protocol = await loop.create_pipe_connection(
            lambda: StreamReaderProtocol(reader, loop=loop), name
        )
        try:
            # Nobody can act as us before we have said something: so this is early enough.
            _refuse_strangers(transport.get_extra_info("pipe").fileno())
        except OSError:
            transport.close()
            raise
        return reader, StreamWriter(transport, protocol, reader, loop)

    def server(self, handle: int) -> int:
        """Return the pid of the process that made the pipe."""
        pid = wintypes.ULONG()
        _ask(_kernel32.GetNamedPipeServerProcessId(handle, ctypes.byref(pid)))
        return pid.value

    def read(self, handle: int, most: int) -> Begun[bytes]:
        """Begin to read."""
        overlapped = _overlapped.Overlapped(0)
        overlapped.ReadFile(handle, most)
        return self._begin(overlapped)

    def write(self, handle: int, data: bytes) -> Begun[int]:
        """Begin to write."""
        overlapped = _overlapped.Overlapped(0)
        overlapped.WriteFile(handle, data)
        return self._begin(overlapped)

    def wait(self, timeout_ms: int | None) -> bool:
        """Wait until some operation is done, or a ring."""
        rung = False
        left_ms = _winapi.INFINITE if timeout_ms is None else timeout_ms
        while told := _overlapped.GetQueuedCompletionStatus(self._port, left_ms):
            _error, _bytes, _key, address = told
            rung |= address == 0
            self._begun.pop(address, None)
            left_ms = 0
        return rung

    def ring(self) -> None:
        """End a wait."""
        _overlapped.PostQueuedCompletionStatus(self._port, 0, 0, 0)

    def busy(self) -> bool:
        """Whether some operation was not told of yet."""
        return bool(self._begun)

    def hang_up(self, handle: int) -> None:
        """Close an end of a pipe."""
        _winapi.CloseHandle(handle)

    def close(self) -> None:
        """Be waited for no more."""
        _winapi.CloseHandle(self._port)

    def _reporting(self, handle: int) -> int:
        try:
            _overlapped.CreateIoCompletionPort(handle, self._port, 0, 0)
        except OSError:
            _winapi.CloseHandle(handle)
            raise
        return handle

    def _begin(self, overlapped: Any) -> Begun[Any]:
        self._begun[overlapped.address] = overlapped
        return Begun(overlapped)


def _for_us_alone() -> int:
    """Return a descriptor for what this user owns, and nobody else may use; to be freed.

    Not over the network either, and not even as this user there.
    """
    us, descriptor = _user(), ctypes.c_void_p()
    _ask(
        _advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            f"O:{us}D:P(D;;GA;;;NU)(A;;GA;;;{us})", SDDL_REVISION_1, ctypes.byref(descriptor), None
        )
    )
    return descriptor.value or 0


def _refuse_strangers(handle: int) -> None:
    """Make sure that a pipe is this user's: nobody can make one in the name of another.

    Raises:
        PermissionError: it is not.
    """
    owner, descriptor = ctypes.c_void_p(), ctypes.c_void_p()
    error = _advapi32.GetSecurityInfo(
        handle,
        SE_KERNEL_OBJECT,
        OWNER_SECURITY_INFORMATION,
        ctypes.byref(owner),
        None,
        None,
        None,
        ctypes.byref(descriptor),
    )
    if error:
        raise ctypes.WinError(error)
    try:
        if _written(owner) != _user():
            raise PermissionError("this pipe is another user's")
    finally:
        _kernel32.LocalFree(descriptor)


def _user() -> str:
    """Return the SID of the user of this process, as it is written."""
    token, size = wintypes.HANDLE(), wintypes.DWORD()
    _ask(_advapi32.OpenProcessToken(_winapi.GetCurrentProcess(), TOKEN_QUERY, ctypes.byref(token)))
    try:
        _advapi32.GetTokenInformation(token, TOKEN_USER, None, 0, ctypes.byref(size))
        told = ctypes.create_string_buffer(size.value)  # begins with the address of the SID in it
        _ask(_advapi32.GetTokenInformation(token, TOKEN_USER, told, size, ctypes.byref(size)))
        return _written(ctypes.c_void_p.from_buffer(told))
    finally:
        _winapi.CloseHandle(int(token.value or 0))


def _written(sid: ctypes.c_void_p) -> str:
    text = ctypes.c_void_p()
    _ask(_advapi32.ConvertSidToStringSidW(sid, ctypes.byref(text)))
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        _kernel32.LocalFree(text)


def _ask(answer: int) -> None:
    """Raise what Windows says, unless it says that it was done."""
    if not answer:
        raise ctypes.WinError(ctypes.get_last_error())
