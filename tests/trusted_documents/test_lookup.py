"""How a running server finds documents that are added and removed."""

from collections.abc import AsyncIterator
from sqlite3 import OperationalError

import pytest
from asyncpg import UndefinedTableError  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import select, text
from structlog.testing import capture_logs

from mainsheet.models.database import Database
from mainsheet.models.trusted_document import LONGEST_ID, TrustedDocument
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings
from mainsheet.server.trusted_documents import catalogue, lookup
from mainsheet.server.trusted_documents.catalogue import Client
from mainsheet.server.trusted_documents.lookup import (
    FRESH_SECONDS,
    MISSES_PER_MINUTE,
    MOST_CHARACTERS,
    WEIGHT,
    TrustedDocuments,
)
from testbed.clock import Clock
from testbed.statements import statements_of
from testbed.world import World, caller
from tests.trusted_documents.conftest import NAME, OTHER, Start, document, hash_of, persisted


@pytest.fixture
def capacity() -> int:
    return MOST_CHARACTERS


@pytest.fixture
async def documents(database: Database, clock: Clock, capacity: int) -> AsyncIterator[TrustedDocuments]:
    documents = TrustedDocuments(database, Budget(Settings(), database), clock, capacity)
    yield documents
    await documents.last_use.close()


@pytest.fixture
def viewer(world: World) -> Caller:
    return caller(world.viewer)


@pytest.mark.usefixtures("trusted")
async def test_a_document_is_looked_up_once_in_some_seconds(
    database: Database, documents: TrustedDocuments, viewer: Caller, clock: Clock
) -> None:
    await documents.text(viewer, "two-operations")
    await documents.last_use.close()
    statements = statements_of(database)

    for _ in range(3):
        assert await documents.text(viewer, "two-operations") is not None
    assert statements == []

    clock.now += FRESH_SECONDS
    for _ in range(3):
        assert await documents.text(viewer, "two-operations") is not None
    assert len(statements) == 1


async def test_added_and_removed_documents_take_effect_without_a_restart(
    database: Database, documents: TrustedDocuments, viewer: Caller, clock: Clock
) -> None:
    assert await documents.text(viewer, hash_of(NAME)) is None

    await catalogue.add(database, [document(NAME)], Client())
    clock.now += FRESH_SECONDS
    assert await documents.text(viewer, hash_of(NAME)) == NAME

    await documents.last_use.close()
    await catalogue.remove(database, [hash_of(NAME)], even_if_used=True)
    clock.now += FRESH_SECONDS
    assert await documents.text(viewer, hash_of(NAME)) is None


async def test_a_text_is_trusted_by_its_own_hash_only(
    database: Database, documents: TrustedDocuments, viewer: Caller
) -> None:
    await catalogue.add(database, [document(NAME, hash_of(OTHER)), document(OTHER, "other")], Client())

    assert await documents.text(viewer, hash_of(OTHER)) == OTHER
    await catalogue.remove(database, ["other"])
    assert await documents.text(viewer, f"sha256:{hash_of(OTHER)}") is None


async def test_a_caller_that_guesses_ids_is_stopped(
    database: Database, documents: TrustedDocuments, viewer: Caller, world: World, clock: Clock
) -> None:
    await catalogue.add(database, [document(NAME)], Client())
    assert await documents.text(viewer, hash_of(NAME)) == NAME
    await documents.last_use.close()
    statements = statements_of(database)

    for number in range(MISSES_PER_MINUTE):
        assert await documents.text(viewer, f"guess-{number}") is None
    for number in range(10):
        with pytest.raises(RateLimited):
            await documents.text(viewer, f"more-{number}")

    assert len(statements) == MISSES_PER_MINUTE
    assert await documents.text(viewer, "guess-1") is None  # known not to exist
    assert await documents.text(viewer, hash_of(NAME)) == NAME
    assert await documents.text(caller(world.contributor), "guess-x") is None
    clock.now += 60
    assert await documents.text(viewer, "more-1") is None


async def test_guesses_are_answered_429_and_texts_in_the_mode_log_still_run(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MISSES_PER_MINUTE", 1)
    server = await start(documents="log")

    first, second = await server.post(documentId="a"), await server.post(documentId="b")

    assert (first, second) == ((200, "PERSISTED_QUERY_NOT_FOUND"), (429, "RATE_LIMITED"))
    assert await server.post(query=OTHER) == (200, {"__typename": "Query"})


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("mode", ["any", "log"])
async def test_texts_and_hashes_are_no_guesses_where_any_document_runs(
    start: Start, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(lookup, "MISSES_PER_MINUTE", 1)
    server = await start(documents=mode)

    for query in ("{ __typename }", "{ a: __typename }"):
        unknown = await server.post(**persisted(hash_of(query)))
        assert unknown == (200, "PERSISTED_QUERY_NOT_FOUND")
        assert (await server.post(query=query, **persisted(hash_of(query))))[0] == 200

    assert (await server.post(documentId=hash_of(NAME)))[0] == 200


@pytest.mark.usefixtures("trusted")
async def test_a_trusted_document_isnt_reported_when_it_cant_be_looked_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start(documents="log", points_per_minute=1)
    await server.post(query="{ a: __typename b: __typename }")  # reported, and puts the caller in debt

    assert await server.post(query=NAME) == (429, "RATE_LIMITED")

    assert 'mainsheet_untrusted_documents_total{outcome="executed"} 1.0' in await server.metrics()


@pytest.mark.parametrize("capacity", [3 * WEIGHT])
async def test_the_cache_is_bounded(documents: TrustedDocuments, viewer: Caller, database: Database) -> None:
    for number in range(4):
        await documents.text(viewer, f"{number}")
    statements = statements_of(database)

    for number in (3, 2, 1):
        await documents.text(viewer, f"{number}")
    assert statements == []
    await documents.text(viewer, "0")
    assert len(statements) == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("capacity", [10 * WEIGHT])
async def test_an_id_that_no_document_can_have_is_not_cached_and_counts_as_a_miss(
    documents: TrustedDocuments, viewer: Caller, database: Database
) -> None:
    assert await documents.text(viewer, hash_of(NAME)) == NAME
    await documents.last_use.close()
    statements = statements_of(database)

    for number in range(MISSES_PER_MINUTE):
        assert await documents.text(viewer, f"{number}".rjust(LONGEST_ID + 1)) is None
    for identifier in ("x" * (LONGEST_ID + 1), "n\0thing", "nothing"):
        with pytest.raises(RateLimited):
            await documents.text(viewer, identifier)

    assert await documents.text(viewer, hash_of(NAME)) == NAME
    assert statements == []


async def test_a_long_id_is_shortened_in_the_log(start: Start) -> None:
    server = await start(documents="any")

    with capture_logs() as lines:
        assert await server.post(documentId="x" * 10_000) == (200, "PERSISTED_QUERY_NOT_FOUND")

    (line,) = [each for each in lines if each["event"] == "untrusted document"]
    assert line["document"].startswith("xxx")
    assert len(line["document"]) == LONGEST_ID


@pytest.mark.usefixtures("trusted")
async def test_a_removed_document_is_not_trusted_while_lookups_fail(
    database: Database, documents: TrustedDocuments, viewer: Caller, clock: Clock
) -> None:
    assert await documents.text(viewer, hash_of(NAME)) == NAME
    await documents.last_use.close()
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE trusted_document RENAME TO elsewhere"))
    clock.now += FRESH_SECONDS

    for _ in range(3):
        with pytest.raises((OperationalError, UndefinedTableError)):
            await documents.text(viewer, hash_of(NAME))


@pytest.mark.usefixtures("trusted")
async def test_the_last_use_is_recorded(database: Database, documents: TrustedDocuments, viewer: Caller) -> None:
    await documents.text(viewer, "two-operations")
    await documents.last_use.close()

    async with database.reads.connect() as connection:
        columns = select(TrustedDocument.id, TrustedDocument.last_used_at)
        used = {row.id for row in await connection.execute(columns) if row.last_used_at is not None}
    assert used == {"two-operations"}
