"""Clients run documents by id: those of a manifest that the server trusts, and those that they register themselves."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.conftest import ADMIN, SDL, Clients
from tests.server.commands import mainsheet, serving


@pytest.fixture(scope="module")
def manifests(clients: Clients) -> list[Path]:
    """The manifests that GraphQL Code Generator and the Relay compiler write."""
    asyncio.run(clients.tool("graphql-codegen", "--config", "codegen.ts", cwd="documents", SCHEMA=str(SDL)))
    relay = clients.folder / "relay-persisted"
    shutil.copytree(clients.folder / "relay", relay)
    shutil.copy(SDL, relay)
    config = json.loads((relay / "relay.config.json").read_text("utf-8"))
    config |= {"persistConfig": {"file": "./persisted_queries.json"}}
    (relay / "relay.config.json").write_text(json.dumps(config), "utf-8")
    (relay / "persisted_queries.json").write_text("{}", "utf-8")
    asyncio.run(clients.tool("relay-compiler", cwd="relay-persisted"))
    return [clients.folder / "documents/generated/persisted-documents.json", relay / "persisted_queries.json"]


@pytest.fixture(scope="module")
def trusting(clients: Clients, manifests: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """The demo on a server that runs nothing but the documents of the manifests, whatever the token."""
    url = f"sqlite:///{tmp_path_factory.mktemp('trusted') / 'demo.sqlite3'}"
    settings = {"MAINSHEET_DOCUMENTS": "trusted", "MAINSHEET_UNTRUSTED_DOCUMENT_SCOPES": ","}
    with serving("--demo", "--database-url", url, environment=settings) as server:
        added = mainsheet("documents", "add", *map(str, manifests), "--client", "tests", MAINSHEET_DATABASE_URL=url)
        assert added.returncode == 0, added.stderr
        yield replace(clients, demo=server)


async def test_apollo_and_urql_register_documents_by_their_hashes(clients: Clients) -> None:
    seen = await clients.script("documents/automatic.ts")

    assert [each["data"]["organization"]["name"] for each in seen] == ["harbor"] * 4
    by_apollo, by_urql = [["GET hash", "POST text"], ["GET hash"]], [["GET hash", "GET text"], ["GET hash"]]
    assert [each["requests"] for each in seen] == [*by_apollo, *by_urql]


async def test_apollo_urql_and_graphql_ws_run_the_documents_of_a_manifest(trusting: Clients) -> None:
    assert await trusting.tool("tsc", "--project", "tsconfig.json", cwd="documents") == ""

    seen = await trusting.script("documents/trusted.ts")

    keys = seen["keys"]["apollo"]
    assert len(keys) > 10
    assert seen["keys"] == {"apollo": keys, "urql": keys}
    assert [each["updateJob"]["job"]["name"] for each in seen["renamed"]] == ["By Apollo", "By urql"]
    assert seen["sent"] == ["GET hash", "GET hash", "POST hash", "POST hash"]
    assert seen["event"]["data"]["events"]["action"] == "JOB_UPDATED"
    assert seen["codes"] == ["DOCUMENT_NOT_TRUSTED"]


async def test_the_documents_of_relays_manifest_run_by_their_ids(trusting: Clients, manifests: list[Path]) -> None:
    documents = json.loads(manifests[1].read_text("utf-8"))
    (id_,) = [id_ for id_, text in documents.items() if text.startswith("query jobsQuery")]
    headers = {"Authorization": f"Bearer {trusting.demo.tokens[ADMIN]}"}

    async with ClientSession(headers=headers) as http:
        async with http.post(trusting.demo.url, json={"documentId": id_}) as response:
            trusted = await response.json()
        async with http.post(trusting.demo.url, json={"query": "{ __typename }"}) as response:
            other = await response.json()

    assert trusted["data"]["me"]["jobs"]["edges"]
    assert other["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
