"""Python clients: gql, and the client that ariadne-codegen generates."""

import json
import shutil
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from graphql import GraphQLError

from tests.clients.conftest import ADMIN, HERE, SDL, Clients
from tests.venv import installed, run

PAGE = """query ($first: Int!, $after: String) { me { jobs(first: $first, after: $after, sortBy: JOB_KEY) {
  pageInfo { hasNextPage endCursor } nodes { id jobKey revision } } } }"""
RENAME = """mutation ($input: UpdateJobInput!) { updateJob(input: $input) {
  job { id revision } userErrors { __typename message ... on StaleRevisionError { expected actual } } } }"""
EVENTS = "subscription ($after: String) { events(after: $after) { action subjectId } }"
LAST = "{ events(last: 1) { pageInfo { endCursor } } }"


async def test_gql_pages_tells_errors_apart_and_subscribes(clients: Clients) -> None:
    headers = {"Authorization": f"Bearer {clients.demo.tokens[ADMIN]}"}
    live = Client(transport=AIOHTTPWebsocketsTransport(clients.demo.url.replace("http", "ws"), init_payload=headers))
    http = AIOHTTPTransport(clients.demo.url, headers=headers)
    async with Client(transport=http, schema=SDL.read_text("utf-8"), parse_results=True) as session, live as socket:
        jobs = [each async for each in _pages(session)]
        job_id, revision = jobs[0]["id"], jobs[0]["revision"]
        stale = await _renamed(session, {"jobId": job_id, "name": "Late", "expectedJobRevision": revision + 1})
        cursor = (await session.execute(GraphQLRequest(LAST)))["events"]["pageInfo"]["endCursor"]
        renamed = await _renamed(session, {"jobId": job_id, "name": "Renamed by gql"})
        event = await anext(socket.subscribe(GraphQLRequest(EVENTS, variable_values={"after": cursor})))
        with pytest.raises(GraphQLError, match="Cannot query field 'nonsense'"):
            await session.execute(GraphQLRequest("{ nonsense }"))
        with pytest.raises(TransportQueryError, match="101 is out of range, 0 to 100"):
            await session.execute(GraphQLRequest(PAGE, variable_values={"first": 101}))

    assert [each["jobKey"] for each in jobs] == await clients.job_keys()
    (error,) = stale["userErrors"]
    assert (error["__typename"], error["expected"], error["actual"]) == ("StaleRevisionError", revision + 1, revision)
    assert renamed == {"job": {"id": job_id, "revision": revision + 1}, "userErrors": []}
    assert event["events"] == {"action": "JOB_UPDATED", "subjectId": job_id}


async def _pages(session: AsyncClientSession) -> AsyncIterator[dict[str, Any]]:
    after = None
    while True:
        page = GraphQLRequest(PAGE, variable_values={"first": 10, "after": after})
        jobs = (await session.execute(page))["me"]["jobs"]
        for each in jobs["nodes"]:
            yield each
        if not jobs["pageInfo"]["hasNextPage"]:
            return
        after = jobs["pageInfo"]["endCursor"]


async def _renamed(session: AsyncClientSession, values: dict[str, Any]) -> Any:
    return (await session.execute(GraphQLRequest(RENAME, variable_values={"input": values})))["updateJob"]


async def test_a_client_of_ariadne_codegen_pages_copies_and_tells_errors_apart(clients: Clients) -> None:
    binaries = await installed(HERE / "ariadne")
    folder = clients.folder / "ariadne"
    shutil.copytree(HERE / "ariadne", folder, dirs_exist_ok=True)
    shutil.copy(SDL, folder)
    await run(binaries / "ariadne-codegen", cwd=folder)
    python = binaries / "python"
    mypy = (sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--python-executable", python)
    await run(*mypy, "jobs.py", cwd=folder)
    told = {"URL": clients.demo.url, "TOKEN": clients.demo.tokens[ADMIN]}

    found = json.loads(await run(python, "jobs.py", cwd=folder, **told))

    assert found == {"keys": await clients.job_keys(), "copied": 1, "late_by": 1}
