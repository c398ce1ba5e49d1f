"""Each test has a fresh database. PostgreSQL is started when the first test needs it."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from mainsheet.models.database import Database
from mainsheet.resolvers.sql.pagination import scan_then_index
from mainsheet.resolvers.sql.statement import compiled_statement
from mainsheet.server.process.garbage import rarely_collected
from testbed.ask import Ask
from testbed.clock import Clock
from testbed.databases import migrated, opened, postgres_database, seeded, sqlite_database
from testbed.postgres import postgres
from testbed.world import World, make_world
from tests.server.issuing import KeyServer

Filled = TypeVar("Filled")

HERE = Path(__file__).parent
SHARED = HERE / "scale"  # its fixture fills a big database for all files of the folder


# No test fails because the machine is busy. Fixtures may be shared by all examples.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
settings.register_profile("unhurried", deadline=None, suppress_health_check=UNHURRIED)
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run each file in one worker, and all files that share an expensive fixture in the same one."""
    for item in items:
        group = SHARED if SHARED in item.path.parents else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(HERE))))


@pytest.fixture(scope="session", autouse=True)
def _rare_garbage_collection() -> Iterator[None]:
    """Collect garbage as rarely as the server does, which saves about a twelfth of the CPU time of tests."""
    with rarely_collected():
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database, which tests copy."""
    with _postgres_template(postgres_server, "template0", migrated) as (name, _):
        yield name


@pytest.fixture(scope="session")
def postgres_demo(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The name of a database with the demo, which tests copy."""
    with _postgres_template(postgres_server, postgres_template, seeded) as (name, _):
        yield name


@pytest.fixture(scope="session")
def postgres_world(postgres_server: str, postgres_template: str) -> Iterator[tuple[str, bytes]]:
    """The name of a database with the world, which tests copy, and the world."""
    with _postgres_template(postgres_server, postgres_template, _populated) as name_and_world:
        yield name_and_world


async def _populated(url: str) -> bytes:
    """Add the world to a migrated database. Return it pickled, so that each test has objects of its own."""
    async with opened(url) as database:
        return pickle.dumps(await make_world(database))


@contextmanager
def _postgres_template(
    server: str, template: str, fill: Callable[[str], Coroutine[None, None, Filled]]
) -> Iterator[tuple[str, Filled]]:
    with asyncio.Runner() as runner:
        copy = postgres_database(server, template)
        url = runner.run(copy.__aenter__())
        yield str(make_url(url).database), runner.run(fill(url))
        runner.run(copy.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    asyncio.run(migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def sqlite_demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    url = sqlite_database(tmp_path_factory.mktemp("demo"), sqlite_template)
    asyncio.run(seeded(url))
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def sqlite_world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A database with the world, which tests copy, and the world."""
    url = sqlite_database(tmp_path_factory.mktemp("world"), sqlite_template)
    return Path(url.removeprefix("sqlite:///")), asyncio.run(_populated(url))


@pytest.fixture(scope="session")
def worlds() -> dict[str, bytes]:
    """The world of each database by its URL; empty if it has none."""
    return {}


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path, worlds: dict[str, bytes]) -> str:
    template, world = _origin(request, "sqlite")
    url = sqlite_database(tmp_path, template)
    worlds[url] = world
    return url


@pytest.fixture
def postgres_origin(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """What `postgres_url` copies. Not a part of it, as templates can't be made while its event loop runs."""
    origin: tuple[str, bytes] = _origin(request, "postgres")
    return origin


@pytest.fixture
async def postgres_url(
    postgres_server: str, postgres_origin: tuple[str, bytes], worlds: dict[str, bytes]
) -> AsyncIterator[str]:
    template, world = postgres_origin
    async with postgres_database(postgres_server, template) as url:
        worlds[url] = world
        yield url


def _origin(request: pytest.FixtureRequest, kind: str) -> tuple[Any, bytes]:
    """Return the database to copy for the test, and its world, which is empty unless the test asks for one."""
    if "world" in request.fixturenames:
        origin: tuple[Any, bytes] = request.getfixturevalue(f"{kind}_world")
        return origin
    return request.getfixturevalue(f"{kind}_template"), b""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database. The test runs on SQLite and on PostgreSQL, or on those that it names by `indirect` parameters."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture
def sqlite_demo_url(sqlite_demo: Path, tmp_path: Path) -> str:
    return sqlite_database(tmp_path, sqlite_demo)


@pytest.fixture
async def postgres_demo_url(postgres_server: str, postgres_demo: str) -> AsyncIterator[str]:
    async with postgres_database(postgres_server, postgres_demo) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def demo_url(request: pytest.FixtureRequest) -> str:
    """A database with the demo. The test runs on SQLite and on PostgreSQL."""
    fixture = {"sqlite": "sqlite_demo_url", "postgresql": "postgres_demo_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
async def demo_database(demo_url: str) -> AsyncIterator[Database]:
    async with opened(demo_url) as database:
        yield database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as database:
        yield database


@pytest.fixture
def ask(database: Database) -> Ask:
    return Ask(database)


@pytest.fixture
async def world(database: Database, worlds: dict[str, bytes]) -> World:
    """Two organizations with all objects that a job needs, but no jobs. Most databases are copied with them."""
    if known := worlds.get(database.url):
        copy: World = pickle.loads(known)
        return copy
    return await make_world(database)


@pytest.fixture(autouse=True)
def _statements_of_patched_code(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile statements anew in a test that patches code, and after it: tests share what is compiled."""
    is_patched = "monkeypatch" in request.fixturenames
    if is_patched:
        compiled_statement.cache_clear()
    yield
    if is_patched:
        compiled_statement.cache_clear()


@pytest.fixture
def scan_limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Change the limit of statements that are compiled in this test."""

    def change(limit: int) -> None:
        monkeypatch.setattr(scan_then_index, "SCAN_LIMIT", limit)
        compiled_statement.cache_clear()

    return change


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    await server.start()
    yield server
    await server.stop()
