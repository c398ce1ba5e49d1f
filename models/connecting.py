"""Connections to PostgreSQL that notice a cut network, and connecting to one of several hosts."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no stubs

# A host that confirms no packet for 6 seconds is regarded as cut off. Until then, TCP sends lost packets again. If
# nothing was sent, keepalives ask; without the first option, on other systems than Linux, 3 of them.
TCP_OPTIONS = {"TCP_USER_TIMEOUT": 6000, "TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}


class DriverConnection(asyncpg.Connection):  # type: ignore[misc]  # has no stubs
    """A connection that is lost when its host is cut off, so that what waits for an answer fails soon.

    A busy host confirms packets, so long statements go on, unless megabytes of parameters are sent that PostgreSQL
    doesn't read for so long. The driver has no option for it.
    """

    def __init__(self, protocol: Any, transport: asyncio.Transport, *more: Any) -> None:
        super().__init__(protocol, transport, *more)
        if not transport.is_closing():
            _notice_silence(transport.get_extra_info("socket"))


def _notice_silence(connected: socket.socket) -> None:
    if connected.family == socket.AF_UNIX:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in TCP_OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def connect_to_first(*, servers: Sequence[tuple[str, str]], **options: Any) -> Any:
    """Connect to the host that answers first of those that have the wanted session attributes.

    The driver tries one after the other within one timeout. A host that doesn't even refuse, because its network is
    cut, would use all of it. Raises the error of one of the hosts if none can be used. `servers` has the name of each
    host and its URL.
    """
    if len(servers) == 1:  # a caller that is cancelled waits until the driver has cleaned up
        ((host, dsn),) = servers
        return await _connect(host, **options | {"dsn": dsn})
    attempts = [asyncio.create_task(_connect(host, **options | {"dsn": dsn})) for host, dsn in servers]
    chosen: asyncio.Task[Any] | None = None
    try:
        chosen = await _first(attempts)
        return await chosen
    finally:
        for each in attempts:
            if each is not chosen:
                each.cancel()
                each.add_done_callback(_terminate)


async def _connect(host: str, **options: Any) -> Any:
    """Connect to one host, and name it if it can't be reached: the driver's error doesn't."""
    try:
        return await asyncpg.connect(**options)
    except OSError as error:
        if error.errno is not None and host:
            error.filename = host
        raise


async def _first(attempts: Sequence["asyncio.Task[Any]"]) -> "asyncio.Task[Any]":
    """Return the first attempt that succeeds, or one that failed if all do."""
    pending = set(attempts)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        usable = [each for each in done if each.exception() is None]
        if usable or not pending:
            return (usable or list(done))[0]


def _terminate(attempt: "asyncio.Task[Any]") -> None:
    """Close a connection that isn't needed, at once: its server may have been cut off."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()
