"""The listening sockets: bound once and shared by all workers."""

import errno
import resource
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mainsheet.server.app import GRAPHQL_PATH
from mainsheet.server.settings import Settings

OTHER_FILES = 128  # open files that aren't client connections, mostly database connections
BACKLOG = 1024  # connections that wait while workers are replaced


@dataclass(frozen=True)
class Listening:
    """The sockets of the API, and those of health checks and metrics if they have a port of their own."""

    api: Sequence[socket.socket]
    admin: Sequence[socket.socket]

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Bind all sockets. Raises `OSError` with a readable reason."""
        api = listen(settings.host, settings.port)
        return cls(api, [] if settings.admin_port is None else listen(settings.host, settings.admin_port))

    @classmethod
    def inherited(cls, numbers: Sequence[Sequence[int]]) -> Self:
        """Use the sockets of a parent process, by their file descriptors."""
        return cls(*([socket.socket(fileno=each) for each in kind] for kind in numbers))

    @property
    def numbers(self) -> Sequence[Sequence[int]]:
        """The file descriptors, for `inherited` in another process."""
        return [[each.fileno() for each in kind] for kind in (self.api, self.admin)]

    def close(self) -> None:
        for each in (*self.api, *self.admin):
            each.close()


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of the host. Raises `OSError` with a readable reason."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [_bound(family, address) for family, address in dict.fromkeys((each[0], each[4]) for each in found)]
    except OSError as error:
        raise OSError(_cannot_listen(host, port, error)) from error


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.create_server((str(address[0]), int(str(address[1]))), family=family, backlog=BACKLOG)
    bound.setblocking(False)
    return bound


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: choose another one"
    return f"Can't listen on {host} port {port}: {error.strerror or error}"


def room_for(connections: int) -> int:
    """Raise the limit of open files for this many connections, and return how many of them it allows."""
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(1, most - OTHER_FILES)


def url(host: str, sockets: Sequence[socket.socket], path: str = GRAPHQL_PATH) -> str:
    port = sockets[0].getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"
