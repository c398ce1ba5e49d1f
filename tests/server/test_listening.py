"""The addresses that a server listens on, and how many connections it has room for."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from aiohttp import ClientSession, UnixConnector

from mainsheet.server.process.listening import OTHER_FILES, listen, urls
from tests.server.commands import mainsheet, serving

MODE = 0o660

ROOM = """
import resource
from mainsheet.server.process.listening import room_for
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(room_for({connections}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "room", "raised_to"),
    [
        (1_000, 1_000, 500, 500, 1_000),
        (256, 4_000, 2_000, 2_000, 2_000 + OTHER_FILES),
        (256, 1_000, 2_000, 1_000 - OTHER_FILES, 1_000),
        (64, 64, 2_000, 1, 64),
    ],
)
def test_the_open_files_limit_bounds_connections(
    soft: int, hard: int, connections: int, room: int, raised_to: int
) -> None:
    code = ROOM.format(soft=soft, hard=hard, connections=connections)

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.split() == [str(room), str(raised_to), str(hard)]


@contextmanager
def listening(*hosts: str, port: int = 0) -> Iterator[Sequence[socket.socket]]:
    sockets = listen(hosts, port, MODE)
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def answers(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as client:
        return client.connect_ex((host, port)) == 0


@pytest.mark.parametrize(
    ("hosts", "reachable"),
    [
        (("127.0.0.1",), {"127.0.0.1"}),
        (("127.0.0.1", "::1"), {"127.0.0.1", "::1"}),
        (("::",), {"127.0.0.1", "::1"}),
        (("0.0.0.0",), {"127.0.0.1"}),
        (("127.0.0.1", "127.0.0.2", "127.0.0.1"), {"127.0.0.1", "127.0.0.2"}),
    ],
)
def test_a_server_listens_on_all_its_addresses_with_one_port(hosts: Sequence[str], reachable: set[str]) -> None:
    with listening(*hosts) as sockets:
        (port,) = {each.getsockname()[1] for each in sockets}

        assert {host for host in ("127.0.0.1", "::1") if answers(host, port)} == reachable - {"127.0.0.2"}
        assert len(sockets) == len(reachable)
        assert urls(["::1", "a.example"], sockets) == [
            f"http://[::1]:{port}/graphql",
            f"http://a.example:{port}/graphql",
        ]


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "no-such-host.invalid", "unix:/nowhere/at/all", f"unix:/{'x' * 200}", "unix:"]
)
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(OSError, match="Can't listen on"), listening("127.0.0.1", host):
        pass


def test_a_socket_file_has_its_mode_and_replaces_one_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    for _ in range(2):  # closed, it stays as the first server left it
        with listening(f"unix:{path}"), socket.socket(socket.AF_UNIX) as client:
            assert path.stat().st_mode & 0o777 == MODE
            assert client.connect_ex(str(path)) == 0

    assert path.is_socket()
    assert [each.name for each in tmp_path.iterdir()] == ["api.sock"]


def test_the_socket_file_of_a_running_server_is_refused(tmp_path: Path) -> None:
    with listening(f"unix:{tmp_path}/api.sock"):
        with pytest.raises(OSError, match="a server listens there already"), listening(f"unix:{tmp_path}/api.sock"):
            pass

        with socket.socket(socket.AF_UNIX) as client:
            assert client.connect_ex(f"{tmp_path}/api.sock") == 0


def test_of_servers_that_start_at_the_same_time_one_listens(tmp_path: Path) -> None:
    count = 8
    barrier = Barrier(count)

    def started(path: Path) -> socket.socket | str:
        barrier.wait()
        try:
            return listen([f"unix:{path}"], 0, MODE)[0]
        except OSError as error:
            return str(error)

    with ThreadPoolExecutor(count) as threads:
        for number in range(20):
            path = tmp_path / f"{number}"
            results = list(threads.map(started, [path] * count))
            for each in results:
                if isinstance(each, socket.socket):
                    each.close()
            refusal = f"Can't listen on unix:{path}: a server listens there already"
            assert results.count(refusal) == count - 1, results


def test_what_prevents_a_socket_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="Not a directory"), listening(f"unix:{tmp_path}/file/api.sock"):
        pass

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(f"{tmp_path}/api.sock")
        with pytest.raises(OSError, match="Protocol wrong type"), listening(f"unix:{tmp_path}/api.sock"):
            pass


def test_a_file_that_is_no_socket_is_kept(tmp_path: Path) -> None:
    (tmp_path / "api.sock").write_text("a text")

    with pytest.raises(OSError, match="no socket"), listening(f"unix:{tmp_path}/api.sock"):
        pass

    assert (tmp_path / "api.sock").read_text() == "a text"


def test_a_server_on_a_unix_socket_trusts_the_proxy_in_front(database_url: str, tmp_path: Path) -> None:
    """With workers on PostgreSQL, they share the socket."""
    workers = "1" if database_url.startswith("sqlite") else "2"
    path = tmp_path / "api.sock"
    settings = {
        "MAINSHEET_HOST": f"unix:{path}",
        "MAINSHEET_ADMIN_HOST": "127.0.0.1",
        "MAINSHEET_ADMIN_PORT": "0",
        "MAINSHEET_DATABASE_URL": database_url,
        "MAINSHEET_WORKERS": workers,
        "MAINSHEET_MAX_CONNECTIONS_PER_ADDRESS": "1",
        "MAINSHEET_LOG_LEVEL": "info",
    }

    async def statuses(admin_url: str) -> list[int]:
        async with ClientSession(connector=UnixConnector(str(path))) as first, ClientSession() as admin:
            forwarded = {"X-Forwarded-For": "198.51.100.7"}
            posted = [await first.post("http://any/graphql", json={}, headers=forwarded) for _ in range(4)]
            return [each.status for each in (*posted, await admin.get(f"{admin_url}/livez"))]

    with (tmp_path / "log").open("w") as log, serving(environment=settings, log=log) as server:
        assert server.url == f"unix:{path}"
        assert asyncio.run(statuses(server.admin_url)) == [401, 401, 401, 401, 200]
        assert server.stop() == 0

    assert set(re.findall(r"client=(\S+)", (tmp_path / "log").read_text())) == {"198.51.100.7"}


def test_the_demo_is_not_on_a_unix_socket(tmp_path: Path) -> None:
    said = mainsheet("serve", "--demo", "--host", f"unix:{tmp_path}/api.sock").stderr

    assert said.startswith("Error: Demo mode listens on loopback only")
