import os

from aiohttp import ClientResponse

from mainsheet.models.database import Database
from mainsheet.models.revisions import head
from testbed.databases import make_newer
from tests.server.conftest import Serve, Server


async def _status(response: ClientResponse) -> tuple[int, str | None]:
    return response.status, (await response.json()).get("reason")


async def test_a_process_that_answers_is_alive(server: Server) -> None:
    response = await server.http.get("/livez")

    assert (response.status, await response.json()) == (200, {"status": "ok", "pid": os.getpid()})


async def test_a_migrated_database_makes_it_ready(server: Server) -> None:
    assert await _status(await server.http.get("/readyz")) == (200, None)


async def test_an_old_database_makes_it_unready_until_it_is_migrated(server: Server, small_database: Database) -> None:
    async with small_database.writes.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    reason = f"The database is at revision 0000, this version needs {head()}."
    assert await _status(await server.http.get("/readyz")) == (503, reason)


async def test_a_newer_database_makes_it_unready_unless_it_is_compatible(
    server: Server, small_database: Database
) -> None:
    await make_newer(small_database, compatible_from=head())
    assert await _status(await server.http.get("/readyz")) == (200, None)

    await make_newer(small_database, compatible_from="9998")
    reason = f"The database is at revision 9999, newer than this version's {head()}."
    assert await _status(await server.http.get("/readyz")) == (503, reason)


async def test_a_database_that_does_not_answer_makes_it_unready_but_alive(
    serve: Serve, small_database: Database
) -> None:
    path = small_database.writes.url.database
    server = await serve()
    await small_database.close()
    with open(path or "", "wb") as file:  # noqa: ASYNC230, PTH123
        file.write(b"no database" * 1000)

    assert await _status(await server.http.get("/readyz")) == (503, "The database doesn't answer.")
    assert (await server.http.get("/livez")).status == 200
