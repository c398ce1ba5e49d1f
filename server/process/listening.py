"""The listening sockets: bound once and shared by all workers."""

import errno
import resource
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.process import unix_socket
from mainsheet.server.settings import UNIX, Settings

OTHER_FILES = 192  # open files that aren't client connections, mostly database connections
BACKLOG = 1024  # connections that wait while workers are replaced


@dataclass(frozen=True)
class Listening:
    """The sockets of the API, and those of health checks and metrics if they have a port of their own."""

    api: Sequence[socket.socket]
    admin: Sequence[socket.socket]

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Bind all sockets. Raises `OSError` with a readable reason."""
        mode = int(settings.socket_mode, 8)
        api = listen(settings.host, settings.port, mode)
        return cls(api, [] if settings.admin_port is None else listen(settings.admin_hosts, settings.admin_port, mode))

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


def listen(hosts: Sequence[str], port: int, mode: int) -> list[socket.socket]:
    """Return a socket for each address of the hosts. If the port is 0, all have one that is free for the first.

    `mode` is the file mode of Unix domain sockets. Raises `OSError` with a readable reason.
    """
    sockets: dict[object, socket.socket] = {}
    for host in hosts:
        try:
            if host.startswith(UNIX):
                sockets[host] = unix_socket.bound(Path(host.removeprefix(UNIX)), mode, BACKLOG)
            else:
                port = _listen_at(host, port, sockets)
        except OSError as error:
            for each in sockets.values():
                each.close()
            raise OSError(_cannot_listen(host, port, error)) from error
    return list(sockets.values())


def _listen_at(host: str, port: int, sockets: dict[object, socket.socket]) -> int:
    """Add a socket for each address of the host that has none yet. Return the port."""
    for family, (address, _, *scope) in _addresses(host):
        if (address, *scope) not in sockets:
            bound = socket.create_server((address, port, *scope), family=family, backlog=BACKLOG)
            bound.setblocking(False)
            sockets[address, *scope] = bound
            port = bound.getsockname()[1]
    return port


def _addresses(host: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Find the addresses of a host. IPv4 has sockets of its own: else its clients would have IPv6 addresses in logs."""
    for name in ("::", "0.0.0.0") if host == "::" else (host,):  # noqa: S104 the setting asks for it
        for found in socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            yield found[0], found[4]


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    reason = error.strerror or error
    if host.startswith(UNIX):
        return f"Can't listen on {host}: {reason}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: choose another one"
    return f"Can't listen on {host} port {port}: {reason}"


def room_for(connections: int) -> int:
    """Raise the limit of open files for this many connections, and return how many of them it allows."""
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(1, most - OTHER_FILES)


def urls(hosts: Sequence[str], sockets: Sequence[socket.socket], path: str = GRAPHQL_PATH) -> list[str]:
    """Return the address of each host for people, such as `http://[::1]:8000/graphql` or `unix:/run/mainsheet.sock`."""
    ports = [each.getsockname()[1] for each in sockets if each.family != socket.AF_UNIX]
    return [
        host if host.startswith(UNIX) else f"http://{f'[{host}]' if ':' in host else host}:{ports[0]}{path}"
        for host in hosts
    ]
