"""The servers: how each is started, and how it is asked."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import make_url

from benchmarks import node
from benchmarks.processor import started_on
from benchmarks.workloads import Ask, Call, Workload, as_endpoint, as_mainsheet, as_peer, as_postgraphile

ROOT = Path(__file__).parents[1]
MAINSHEET = str(Path(sys.executable).with_name("mainsheet"))
EXECUTOR = "MAINSHEET_EXECUTOR"
SERVER_CPU, OTHER_CPU = 0, 1
SECONDS_TO_STOP = 10


class NotStarted(Exception):
    """A server ended before it said where it serves."""


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    command: Sequence[str]
    ask: Ask
    version: Callable[[], str]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_node: bool = False
    is_quick: bool = False
    database: str | None = None  # of its own, on the same server


@dataclass(frozen=True)
class Running:
    server: Server
    url: str
    pid: int

    def request(self, workload: Workload, call: Call) -> tuple[str, bytes]:
        return self.server.ask(self.url, workload, call)


def every_server() -> list[Server]:
    return [*_mainsheet(), *PEERS]


def _mainsheet() -> list[Server]:
    def with_executor(name: str, title: str, executor: str) -> Server:
        command = [MAINSHEET, "serve", "--port", "0"]
        # Like the peers, it logs no line for each request. All callers are of one organization.
        environment = {EXECUTOR: executor, "MAINSHEET_LOG_LEVEL": "warning", "MAINSHEET_ORGANIZATION_SHARE": "1"}
        return Server(name, title, command, as_mainsheet, lambda: version("mainsheet"), environment, is_quick=True)

    settings = subprocess.run([MAINSHEET, "settings"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    compiled = with_executor("mainsheet", "Mainsheet", "compiled")
    reference = with_executor("reference", "Mainsheet on graphql-core", "reference")
    return [compiled, reference] if EXECUTOR in settings else [compiled]


def _python(name: str, title: str, ask: Ask, package: str) -> Server:
    command = [sys.executable, "-m", f"benchmarks.peers.{name}"]
    return Server(name, title, command, ask, lambda: version(package), is_quick=True)


def _node(name: str, title: str, ask: Ask, package: str) -> Server:
    command = [str(node.node()), str(node.PEERS / f"{name}.js")]
    return Server(name, title, command, ask, lambda: node.package_version(package), node.environment(), needs_node=True)


PEERS = (
    _python("stock", "Strawberry, stock", as_peer, "strawberry-graphql"),
    _node("apollo", "Apollo Server", as_peer, "@apollo/server"),
    _node("mercurius", "Mercurius", as_peer, "mercurius"),
    _node("postgraphile", "PostGraphile", as_postgraphile, "postgraphile"),
    _python("hand", "hand, asyncpg", as_endpoint, "asyncpg"),
    _python("whole", "one statement, asyncpg", as_endpoint, "asyncpg"),
)


def on_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def started(servers: Sequence[Server], url: str, logs: Path) -> Iterator[list[Running]]:
    if any(each.needs_node for each in servers):
        node.install()
    with ExitStack() as stack:
        yield [stack.enter_context(_started(each, url, logs / f"{each.name}.log")) for each in servers]


@contextmanager
def _started(server: Server, url: str, log: Path) -> Iterator[Running]:
    database = on_database(url, server.database) if server.database else url
    environment = {"BENCH_DATABASE_URL": database, "MAINSHEET_DATABASE_URL": database, **server.environment}
    with log.open("wb") as errors, started_on(SERVER_CPU):
        process = subprocess.Popen(
            server.command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        is_json = server.environment.get("MAINSHEET_LOG_FORMAT") == "json"
        yield Running(server, _served(process, log, is_json=is_json), process.pid)
    finally:
        _stop(process)


def _served(process: subprocess.Popen[str], log: Path, *, is_json: bool) -> str:
    """Return the URL that a server prints. Mainsheet with a log of JSON prints nothing, but logs it."""
    assert process.stdout
    while is_json and process.poll() is None:
        if found := re.search(r'"url":"([^"]+)"', log.read_text()):
            return found[1]
        time.sleep(0.1)
    for line in process.stdout:
        if line.startswith("Serving "):
            return line.split()[1]
    raise NotStarted(log.read_text()[-2000:])


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
