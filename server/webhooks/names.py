"""Resolves the host names of webhooks."""

import asyncio
import socket
from concurrent.futures import Future
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Resolver(AbstractResolver):
    """Resolves each name in a thread of its own.

    The event loop has few threads, which also write `/metrics` and resolve the host of the database. Webhooks of one
    organization, whose name server doesn't answer, must not take them from all others. A look-up that is given up goes
    on until the system's resolver gives up, too. The threads don't hold up the end of the process.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found: Future[list[Any]] = Future()
        Thread(target=_look_up, args=(found, host, port, family), name=f"resolve {host}", daemon=True).start()
        return [
            ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=protocol, flags=NUMERIC)
            for kind, _, protocol, _, address in await asyncio.wrap_future(found)
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _look_up(found: Future[list[Any]], host: str, port: int, family: socket.AddressFamily) -> None:
    if not found.set_running_or_notify_cancel():  # from now on, it can't be cancelled
        return
    try:
        found.set_result(
            socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        )
    except Exception as error:  # noqa: BLE001 the caller gets it
        found.set_exception(error)
