"""Apollo's automatic persisted queries: documents that clients register by their hash, in memory."""

import orjson
import pytest

from mainsheet.executor import core_schema
from mainsheet.schema.api import api
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.settings import Settings
from tests.trusted_documents.conftest import OTHER, Start, hash_of, persisted

TYPENAME = {"__typename": "Query"}
A, B = "query A { __typename }", "query B { __typename }"
BOTH = f"{A} {B}"
BAD = "{ nothing }"


async def test_a_document_runs_by_its_hash_once_its_text_was_sent(start: Start) -> None:
    server = await start()
    by_hash = persisted(hash_of(OTHER))

    assert await server.post(**by_hash) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert await server.post(**by_hash, query=OTHER) == (200, TYPENAME)
    assert await server.post(**by_hash) == (200, TYPENAME)
    assert await server.get(extensions=orjson.dumps(by_hash["extensions"]).decode()) == (200, TYPENAME)


async def test_the_hash_may_have_its_prefix(start: Start) -> None:
    server = await start()

    assert await server.post(**persisted(f"sha256:{hash_of(OTHER)}"), query=OTHER) == (200, TYPENAME)
    assert await server.post(**persisted(f"sha256:{hash_of(OTHER)}")) == (200, TYPENAME)
    assert await server.post(**persisted(hash_of(OTHER))) == (200, TYPENAME)


async def test_clients_recognize_the_message_for_an_unknown_hash(start: Start) -> None:
    server = await start()
    headers = {"Authorization": f"Bearer {server.secret}"}

    async with server.http.post("/graphql", json=persisted(hash_of(OTHER)), headers=headers) as response:
        answer = await response.json()

    assert answer["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_a_text_is_not_registered_under_the_hash_of_another(start: Start) -> None:
    server = await start()

    assert await server.post(**persisted(hash_of(A)), query=B) == (400, "BAD_USER_INPUT")
    assert await server.post(**persisted(hash_of(A))) == (200, "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("any", "PERSISTED_QUERY_NOT_FOUND"),
        ("log", "PERSISTED_QUERY_NOT_FOUND"),
        ("trusted", "DOCUMENT_NOT_TRUSTED"),
    ],
)
async def test_nothing_is_registered_without_a_token(start: Start, mode: str, code: str) -> None:
    server = await start(public_introspection=True, documents=mode)

    for hash_ in (hash_of(A), hash_of(OTHER)):
        async with server.http.post("/graphql", json=persisted(hash_) | {"query": OTHER}) as response:
            assert await response.json() == {"data": TYPENAME}

        assert await server.post(**persisted(hash_)) == (200, code)


async def test_an_invalid_document_is_not_registered(start: Start) -> None:
    server = await start()

    assert await server.post(**persisted(hash_of(BAD)), query=BAD) == (200, "GRAPHQL_VALIDATION_FAILED")
    assert await server.post(**persisted(hash_of(BAD))) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_the_mode_log_counts_a_registered_document_as_untrusted(start: Start) -> None:
    server = await start(documents="log")

    assert await server.post(**persisted(hash_of(OTHER)), query=OTHER) == (200, TYPENAME)
    assert await server.post(**persisted(hash_of(OTHER))) == (200, TYPENAME)
    assert 'mainsheet_untrusted_documents_total{outcome="executed"} 2.0' in await server.metrics()


async def test_nothing_is_registered_in_the_mode_trusted(start: Start) -> None:
    server = await start(documents="trusted")
    by_hash = persisted(hash_of(OTHER))

    assert await server.post(**by_hash, query=OTHER, free=True) == (200, TYPENAME)
    assert await server.post(**by_hash, free=True) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert await server.post(**by_hash) == (200, "DOCUMENT_NOT_TRUSTED")


def store_of(capacity: int) -> OperationStore:
    return OperationStore(core_schema(api), Limits.of(Settings()), capacity=capacity)


async def test_a_hash_is_forgotten_with_its_document() -> None:
    measured = store_of(10_000_000)
    await measured.get(BOTH, "A")
    store = store_of(measured.size)

    await store.get(BOTH, "A", hash_of(BOTH))
    assert store.text_of(hash_of(BOTH)) == BOTH

    await store.get(BOTH, "B")
    assert store.text_of(hash_of(BOTH)) is None


async def test_another_operation_keeps_the_hash_of_its_document() -> None:
    measured = store_of(10_000_000)
    await measured.get(BOTH, "A")
    store = store_of(2 * measured.size)

    for name in ("A", "B"):
        await store.get(BOTH, name, hash_of(BOTH))
    await store.get(A)  # drops the operation A of both

    assert store.text_of(hash_of(BOTH)) == BOTH


async def test_a_store_without_room_keeps_no_hash() -> None:
    store = store_of(0)

    await store.get(A, None, hash_of(A))

    assert store.text_of(hash_of(A)) is None
