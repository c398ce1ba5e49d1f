"""The recipes of `docs/operations.md` work."""

import asyncio
import re
import shlex
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # has no stubs
import pytest
from aiohttp import ClientSession, TCPConnector
from sqlalchemy import make_url

from mainsheet.server.commands.serve import BESIDE_THE_POOL
from testbed.ask import Ask
from testbed.databases import connected, execute, opened
from testbed.pgbouncer import pgbouncer
from testbed.world import make_world, token
from tests.chaos.outside import Outside, outside
from tests.server.commands import PATIENCE, Serving, invoke, mainsheet, serving

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'mainsheet/%'
"""
USERS = SESSIONS.replace("count(*)", "array_agg(DISTINCT usename::text)")
POOL = 6
LIMITS = {
    "MAINSHEET_POOL_SIZE": str(POOL),
    "MAINSHEET_MAX_OPERATIONS_PER_CALLER": "50",
    "MAINSHEET_ORGANIZATION_SHARE": "1",
    "MAINSHEET_POOL_TIMEOUT_SECONDS": "60",
    "MAINSHEET_QUEUE_SECONDS": "0",
    "MAINSHEET_LOCK_TIMEOUT_SECONDS": "60",
    "MAINSHEET_STATEMENT_TIMEOUT_SECONDS": "60",
}
JOBS = "{ jobs(limit: 5) { nodes { name } } }"
DESCRIBE = 'mutation { updateJob(input: {jobId: "%s", description: "x"}) { userErrors { code } } }'


def blocks(section: str, kind: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert found, (section, kind)
    return found


async def is_ready(http: ClientSession, server: Serving) -> bool:
    async with http.get(server.url.replace("/graphql", "/readyz")) as response:
        return response.status == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_process_has_as_many_connections_as_the_formula_says(database_url: str) -> None:
    beside = re.search(r"\(MAINSHEET_POOL_SIZE \+ (\d+)\)", SECTIONS["Connections"])
    activity, _ = blocks("Connections", "sql")
    assert beside
    assert int(beside[1]) == BESIDE_THE_POOL
    most = POOL + BESIDE_THE_POOL
    async with opened(database_url) as database:
        world = await make_world(database)
        job_id = await Ask(database).create_job(world.contributor, world)
        headers = {"Authorization": f"Bearer {await token(database, world.contributor)}"}
    async with outside(database_url) as other, AsyncExitStack() as stack:
        server = stack.enter_context(serving(environment=LIMITS | {"MAINSHEET_DATABASE_URL": database_url}))
        http = await stack.enter_async_context(ClientSession(headers=headers, connector=TCPConnector(limit=0)))
        assert await is_ready(http, server)
        async with other.holding_jobs():  # operations wait for it, each with its connection
            documents = [JOBS, DESCRIBE % job_id] * most
            sent = [asyncio.ensure_future(http.post(server.url, json={"query": each})) for each in documents]
            await other.sees(SESSIONS, most, PATIENCE)
            shown = await other.watcher.fetch(activity)
        for response in await asyncio.gather(*sent):
            response.release()

    assert sum(row["count"] for row in shown) == most + 2  # those of this test


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_pgbouncer_and_the_role_are_configured_as_shown(database_url: str, postgres_server: str) -> None:
    (shown,) = blocks("Connections", "ini")
    port = "listen_port = 6432"
    assert port in shown
    pattern = re.sub(r"^(listen_addr|auth_type|auth_file).*\n", "", shown, flags=re.MULTILINE)
    pattern = re.sub(r"^mainsheet = .*", "* = host={host} port=5432 user=postgres", pattern, flags=re.MULTILINE)
    pattern = pattern.replace(port, "listen_addr =\nauth_type = any\nunix_socket_dir = {folder}\nlisten_port = {port}")
    name = make_url(database_url).database
    for statement in blocks("Connections", "sql")[1].splitlines():
        assert statement.startswith("ALTER ROLE mainsheet SET ")
        own = statement.replace("ROLE mainsheet", f"DATABASE {name}")  # the role belongs to the server of all tests
        await execute(postgres_server, own)

    with pgbouncer(database_url, pattern) as pooled:
        environment = {"MAINSHEET_DATABASE_URL": pooled, "MAINSHEET_DATABASE_POOLING": "transaction"}
        with serving(environment=environment) as server:
            async with ClientSession() as http:
                assert await is_ready(http, server)


@asynccontextmanager
async def behind_tls(postgres_url: str, certificate: Path, key: Path) -> AsyncIterator[int]:
    """Accept TLS as PostgreSQL does, in front of a server that has none. Yield the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    folder = make_url(postgres_url).query["host"]

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            assert (await reader.readexactly(8))[4:] == b"\x04\xd2\x16\x2f"  # SSLRequest
            writer.write(b"S")
            await writer.start_tls(context)
            inner_reader, inner_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for a host, and its key."""
    folder.mkdir()
    certificate, key = folder / "ca.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", f"/CN={host}"]
    names = ["-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_only_the_database_with_the_right_certificate_is_reached(database_url: str, tmp_path: Path) -> None:
    (shown,) = blocks("TLS", "sh")
    variable, _, url = shlex.split(shown)[0].partition("=")
    certificate, key = self_signed(tmp_path / "own", "localhost")
    other, _ = self_signed(tmp_path / "other", "localhost")
    wrong, wrong_key = self_signed(tmp_path / "wrong", "db.example")

    async def check(port: int, ca: Path) -> int:
        place = f"postgres@localhost:{port}/{make_url(database_url).database}"
        own = url.replace("mainsheet:PASSWORD@db.example/mainsheet", place)
        own = own.replace("/etc/mainsheet/ca.pem", str(ca))
        assert "sslmode=verify-full" in own
        assert "PASSWORD" not in own
        return (await asyncio.to_thread(mainsheet, "db", "check", **{variable: own})).returncode

    async with behind_tls(database_url, certificate, key) as port:
        assert await check(port, certificate) == 0
        assert await check(port, other) == 1
    async with behind_tls(database_url, wrong, wrong_key) as port:
        assert await check(port, wrong) == 1


def test_the_commands_of_probes_and_of_a_full_disk_work(database_url: str) -> None:
    probe = shlex.split(blocks("Probes", "sh")[0])
    prune = [shlex.split(line) for line in blocks("Disk full", "sh")[0].splitlines()]

    with serving(environment={"MAINSHEET_DATABASE_URL": database_url}) as server:
        address = server.url.removesuffix("/graphql")
        answer = subprocess.run(
            [each.replace("http://127.0.0.1:8000", address) for each in probe],
            capture_output=True,
            text=True,
            check=True,
        )
        pruned = [mainsheet(*each[1:], MAINSHEET_DATABASE_URL=database_url) for each in prune]

    assert answer.stdout == '{"status": "ok"}'
    assert [(each.returncode, each.stderr) for each in pruned] == [(0, "")] * 2


def test_a_lost_token_is_replaced(database_url: str) -> None:
    (command,) = blocks("Lost tokens", "sh")
    environment = {"MAINSHEET_DATABASE_URL": database_url}
    first = invoke("init", "--organization", "acme", "--admin", "ada@acme.example", **environment)

    second = invoke(*shlex.split(command)[1:], **environment)

    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    assert second.stdout.startswith("mst_")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_the_tables_that_take_space_are_shown(database_url: str) -> None:
    (statement,) = blocks("Growth and retention", "sql")

    async with connected(database_url) as connection:
        assert len(await connection.fetch(statement)) == 10


@asynccontextmanager
async def superuser(connection: asyncpg.Connection, role: str) -> AsyncIterator[None]:
    """Let a role exist inside this context: it belongs to the server of all tests."""
    await connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    try:
        yield
    finally:
        await connection.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_reload_takes_the_new_url_of_the_database(database_url: str, tmp_path: Path) -> None:
    reload = blocks("Rotating secrets", "sh")[0]
    assert "kill -HUP" in reload
    file, role = tmp_path / "url", f"second_{make_url(database_url).database}"
    file.write_text(f"{database_url}\n")
    environment = {"MAINSHEET_DATABASE_URL_FILE": str(file), "MAINSHEET_POOL_SIZE": "2"}
    async with connected(database_url) as own, superuser(own, role):
        with serving("--workers", "2", environment=environment) as server:
            file.write_text(database_url.replace("postgres@", f"{role}@"))
            server.process.send_signal(signal.SIGHUP)
            await Outside(own, own).sees(USERS, [role], PATIENCE)
            assert server.stop() == 0
