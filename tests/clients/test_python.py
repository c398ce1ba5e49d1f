"""Python clients: gql, and the client that ariadne-codegen generates."""

import asyncio
import fcntl
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from graphql import GraphQLError

from tests.clients.conftest import ADMIN, HERE, SDL, Clients

LOCK = HERE / "ariadne/requirements.lock"
INSTALLED = HERE.parents[1] / ".venv/ariadne"
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
    binaries = await asyncio.to_thread(_install)
    folder = clients.folder / "ariadne"
    shutil.copytree(HERE / "ariadne", folder, dirs_exist_ok=True)
    shutil.copy(SDL, folder)
    await _run(binaries / "ariadne-codegen", cwd=folder)
    python = binaries / "python"
    mypy = (sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--python-executable", python)
    await _run(*mypy, "jobs.py", cwd=folder)
    told = {"URL": clients.demo.url, "TOKEN": clients.demo.tokens[ADMIN]}

    found = json.loads(await _run(python, "jobs.py", cwd=folder, **told))

    assert found == {"keys": await clients.job_keys(), "copied": 1, "late_by": 1}


def _install() -> Path:
    """Install what the lock file names, once for each content of it. It needs another release of graphql-core."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    done = INSTALLED / "installed.lock"
    with (INSTALLED / "installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tests run in several processes
        if not done.exists() or done.read_bytes() != LOCK.read_bytes():
            asyncio.run(_run(sys.executable, "-m", "venv", "--clear", INSTALLED / "venv", cwd=HERE))
            pip = (INSTALLED / "venv/bin/pip", "--quiet", "--disable-pip-version-check")
            asyncio.run(_run(*pip, "install", "--require-hashes", "--requirement", LOCK, cwd=HERE))
            shutil.copy(LOCK, done)
    return INSTALLED / "venv/bin"


async def _run(*command: str | Path, cwd: Path, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
