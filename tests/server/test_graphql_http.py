import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
from graphql import get_introspection_query
from multidict import CIMultiDict

from mainsheet.executor import WorkerThread
from mainsheet.server.http.request import GRAPHQL_RESPONSE, JSON
from mainsheet.server.paths import GRAPHQL_PATH
from tests.server.conftest import MEMBER_ID, Serve, Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TWO_OPERATIONS = 'query A { hello(name: "a") } query B { hello(name: "b") }'
WITH_VARIABLE = "query($n: String!) { hello(name: $n) }"


async def test_a_query_is_answered_by_post(server: Server) -> None:
    response = await server.post(WITH_VARIABLE, variables={"n": "Zoë"}, operationName=None, extensions={})

    assert response.status == 200
    assert await response.json() == {"data": {"hello": "hello Zoë"}}


async def test_a_query_is_answered_by_get(server: Server) -> None:
    response = await server.get(query=WITH_VARIABLE, variables='{"n": "Zoë"}')

    assert await response.json() == {"data": {"hello": "hello Zoë"}}


async def test_the_named_operation_runs(server: Server) -> None:
    response = await server.post(TWO_OPERATIONS, operationName="B")

    assert await response.json() == {"data": {"hello": "hello b"}}


async def test_a_mutation_runs_by_post(server: Server) -> None:
    response = await server.post("mutation { greet }")

    assert await response.json() == {"data": {"greet": "hello"}}


async def test_resolvers_see_the_caller(server: Server) -> None:
    response = await server.post("{ member }")

    assert await response.json() == {"data": {"member": f"{MEMBER_ID} {MEMBER_ID}"}}


async def test_the_context_is_closed_after_the_operation(server: Server) -> None:
    await server.post("{ crashHard }")

    assert server.contexts.get_nowait().closed.is_set()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/GRAPHQL-RESPONSE+JSON", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/graphql-response+json;q=0.5, application/json", JSON),
        ("application/graphql-response+json, application/json;q=0.9, */*;q=0.1", GRAPHQL_RESPONSE),
        ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("application/json;q=0.5, */*", GRAPHQL_RESPONSE),
        ("application/json, application/json;q=0", JSON),
        ("", JSON),
    ],
)
async def test_the_response_has_the_preferred_media_type(server: Server, accept: str, media_type: str) -> None:
    response = await server.post(accept=accept)

    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize(("name", "kind"), [("Accept", "Content-Type"), ("Accept-Encoding", "Content-Encoding")])
async def test_all_lines_of_a_header_count(server: Server, name: str, kind: str) -> None:
    lines = {"Accept": ["text/plain", GRAPHQL_RESPONSE], "Accept-Encoding": ["br", "gzip"]}[name]
    query = get_introspection_query()
    headers = CIMultiDict([*server.headers.items(), *((name, each) for each in lines)])

    response = await server.http.post(GRAPHQL_PATH, json={"query": query}, headers=headers)

    assert response.status == 200
    assert response.headers[kind].partition(";")[0] == lines[1]


async def test_request_errors_are_200_in_the_old_media_type(server: Server) -> None:
    response = await server.post("{ nothing }", accept=JSON)

    assert response.status == 200
    assert "data" not in await response.json()


async def test_a_failed_field_is_200_with_data_in_either_media_type(server: Server) -> None:
    for media_type in (JSON, GRAPHQL_RESPONSE):
        response = await server.post("{ hello bad }", accept=media_type)

        assert response.status == 200
        assert (await response.json())["data"] == {"hello": "hello world", "bad": None}


async def test_a_null_root_is_data_and_not_a_request_error(server: Server) -> None:
    response = await server.post("{ crashHard }", accept=GRAPHQL_RESPONSE)

    assert response.status == 200
    assert (await response.json())["data"] is None


async def _unauthenticated(server: Server, headers: dict[str, str], body: Any) -> str:
    response = await server.http.post(GRAPHQL_PATH, data=body, headers=headers)
    answer = await response.json()
    assert response.status == 401
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    return response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("body", [b'{"query": "{ __schema { types { name } } }"}', b"not even JSON"])
async def test_a_request_without_a_token_is_401(server: Server, body: bytes) -> None:
    assert await _unauthenticated(server, {}, body) == "Bearer"


async def test_a_wrong_token_is_reported_as_invalid(server: Server) -> None:
    challenge = await _unauthenticated(server, {"Authorization": "Bearer mst_wrong"}, b"{}")

    assert challenge == 'Bearer error="invalid_token"'


async def test_another_auth_scheme_is_401_with_a_bearer_challenge(server: Server) -> None:
    assert await _unauthenticated(server, {"Authorization": "Basic YTpi"}, b"{}") == "Bearer"


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __typename ... on Query { ...F } } fragment F on Query { __type(name: "Thing") { name } }',
    ],
)
async def test_public_introspection_needs_no_token(serve: Serve, query: str) -> None:
    server = await serve(public_introspection=True)

    response = await server.http.post(GRAPHQL_PATH, json={"query": query})

    assert response.status == 200
    assert "errors" not in await response.json()


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename hello }",
        "{ __typename ...F } fragment F on Query { ... { hello } }",
        "mutation { greet }",
        "query A { __typename } query B { hello }",
    ],
)
async def test_public_introspection_gives_no_data(serve: Serve, query: str) -> None:
    server = await serve(public_introspection=True)

    response = await server.http.post(
        GRAPHQL_PATH, json={"query": query, "operationName": "B" if "query B" in query else None}
    )

    assert response.status == 401


@pytest.fixture
def turns_taken(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Hashable]]:
    """The turns in which the worker ran functions."""
    taken: list[Sequence[Hashable]] = []
    run = WorkerThread.run

    async def noted(worker: WorkerThread, key: Hashable, work: Callable[[], Any], turns: Sequence[Hashable]) -> Any:
        taken.append(turns)
        return await run(worker, key, work, turns)

    monkeypatch.setattr(WorkerThread, "run", noted)
    return taken


async def test_callers_take_turns_in_the_worker(serve: Serve, turns_taken: list[Sequence[Hashable]]) -> None:
    server = await serve(public_introspection=True)

    await server.post(get_introspection_query())
    await server.http.post(GRAPHQL_PATH, json={"query": get_introspection_query(descriptions=False)})

    assert list(dict.fromkeys(turns_taken)) == [("OR1", MEMBER_ID), ("", "127.0.0.1")]


async def test_errors_of_variables_are_found_in_the_worker(
    server: Server, turns_taken: list[Sequence[Hashable]]
) -> None:
    assert "data" in await (await server.post(WITH_VARIABLE, variables={"n": "a"})).json()
    assert turns_taken == []

    (error,) = (await (await server.post(WITH_VARIABLE, variables={"n": [1]})).json())["errors"]

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert turns_taken == [("OR1", MEMBER_ID)]


async def test_public_introspection_refuses_a_wrong_token(serve: Serve) -> None:
    server = await serve(public_introspection=True)
    headers = {"Authorization": "Bearer mst_wrong"}

    response = await server.http.post(GRAPHQL_PATH, json={"query": "{ __typename }"}, headers=headers)

    assert response.status == 401


async def test_a_browser_gets_a_page_without_a_token(server: Server) -> None:
    response = await server.http.get(GRAPHQL_PATH, headers={"Accept": BROWSER})

    text = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert "GraphQL" in text
    assert "<script" not in text


async def test_a_query_in_a_browsers_address_bar_is_a_query(server: Server) -> None:
    response = await server.get(accept=BROWSER, query="{ hello }")

    assert await response.json() == {"data": {"hello": "hello world"}}


async def test_an_operation_that_takes_too_long_is_stopped(serve: Serve) -> None:
    server = await serve(request_timeout_seconds=0.05)

    response = await server.post("{ wait }")

    context = server.contexts.get_nowait()
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await response.json())["errors"][0]["extensions"] == {"code": "TIMEOUT"}
    assert context.closed.is_set()
    assert not context.finished.is_set()


async def test_a_query_is_cancelled_when_its_client_disconnects(server: Server) -> None:
    asking = asyncio.create_task(server.post("{ wait }"))
    context = await server.contexts.get()
    await context.started.wait()

    asking.cancel()

    await asyncio.wait_for(context.closed.wait(), 5)
    assert not context.finished.is_set()


async def test_a_mutation_is_finished_after_its_client_disconnects(server: Server) -> None:
    asking = asyncio.create_task(server.post("mutation { wait }"))
    context = await server.contexts.get()
    await context.started.wait()

    asking.cancel()
    stopping = asyncio.create_task(server.stop())
    await asyncio.wait({stopping}, timeout=0.1)
    assert not stopping.done()
    context.may_end.set()

    await asyncio.wait_for(stopping, 5)
    assert context.finished.is_set()
    assert context.closed.is_set()
