"""Which documents run in each mode, and what the others are answered."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope
from mainsheet.server.job_files.files import text_of
from mainsheet.server.settings import Settings
from mainsheet.server.trusted_documents import catalogue
from mainsheet.server.trusted_documents.manifest import Document
from testbed.world import World
from tests.server.commands import invoke
from tests.trusted_documents.conftest import NAME, OTHER, TWO, Start, hash_of, narrow, outcome, persisted

HARBOR = {"organization": {"name": "harbor"}}
TYPENAME = {"__typename": "Query"}
NEW_TYPE = "application/graphql-response+json"
SCHEMA = "{ __schema { queryType { name } } }"

pytestmark = pytest.mark.usefixtures("trusted")


async def test_a_trusted_document_runs_by_its_id_its_hash_or_its_text_in_each_mode(start: Start) -> None:
    for mode in ("any", "log", "trusted"):
        server = await start(documents=mode)
        hash_ = hash_of(NAME)
        requests: list[dict[str, Any]] = [
            {"documentId": hash_},
            {"documentId": f"sha256:{hash_}"},
            {"documentId": f"sha256:{hash_of(TWO)}", "operationName": "Name"},
            {"documentId": "two-operations", "operationName": "Name"},
            persisted(hash_),
            persisted(hash_) | {"query": ""},
            persisted(hash_) | {"query": NAME},
            {"query": NAME},
        ]

        for each in requests:
            assert await server.post(**each) == (200, HARBOR), (mode, each)
        assert await server.get(documentId=hash_) == (200, HARBOR)
        assert await server.get(documentId="two-operations", operationName="Typename") == (200, TYPENAME)
        assert await server.get(extensions=orjson.dumps(persisted(hash_)["extensions"]).decode()) == (200, HARBOR)


async def test_other_documents_are_refused_in_the_mode_trusted(start: Start) -> None:
    server = await start(documents="trusted")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"query": OTHER}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": NAME + " "}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": SCHEMA}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": "{ not GraphQL"}, "DOCUMENT_NOT_TRUSTED"),
        (persisted(hash_of(OTHER)), "DOCUMENT_NOT_TRUSTED"),
        (persisted(hash_of(OTHER)) | {"query": OTHER}, "DOCUMENT_NOT_TRUSTED"),
        ({"documentId": "nothing"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": f"sha256:{hash_of(OTHER)}"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": "sha256:two-operations", "operationName": "Name"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": "n\0thing"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": "x" * 300}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": "\ufffe\U0001f600"}, "PERSISTED_QUERY_NOT_FOUND"),
        (persisted("n\0thing"), "DOCUMENT_NOT_TRUSTED"),
    ]

    for body, code in refused:
        assert await server.post(**body) == (200, code), body
        assert await server.post(NEW_TYPE, **body) == (400, code), body

    count = f'mainsheet_untrusted_documents_total{{outcome="refused"}} {2 * len(refused)}.0'
    assert count in await server.metrics()


async def test_the_log_names_an_unknown_id_once(start: Start) -> None:
    server = await start()

    with capture_logs() as log:
        for _ in range(2):
            assert await server.post(documentId="new", operationName="New") == (200, "PERSISTED_QUERY_NOT_FOUND")

    (line,) = [each for each in log if each["event"] == "untrusted document"]
    assert (line["document"], line["operation"], line["refused"]) == ("new", "New", True)


@pytest.mark.parametrize(
    "body", [{"query": OTHER}, persisted(hash_of(OTHER)), persisted(f"sha256:{hash_of(OTHER)}")], ids=str
)
async def test_the_refusal_names_the_document_for_the_operator(start: Start, body: dict[str, Any]) -> None:
    server = await start(documents="trusted")
    headers = {"Authorization": f"Bearer {server.secret}"}

    async with server.http.post("/graphql", json=body, headers=headers) as response:
        answer = await response.json()

    assert answer["errors"][0]["extensions"]["documentId"] == f"sha256:{hash_of(OTHER)}"


async def test_tokens_with_a_free_scope_run_any_document(start: Start) -> None:
    free = await start(documents="trusted")
    none = await start(documents="trusted", untrusted_document_scopes=())
    writers = await start(documents="trusted", untrusted_document_scopes=(AccessScope.WRITE,))

    assert await free.post(query=OTHER, free=True) == (200, TYPENAME)
    assert await none.post(query=OTHER, free=True) == (200, "DOCUMENT_NOT_TRUSTED")
    assert await writers.post(query=OTHER) == (200, TYPENAME)


def test_a_comma_alone_names_no_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSHEET_UNTRUSTED_DOCUMENT_SCOPES", ",")

    assert Settings().untrusted_document_scopes == ()


async def test_the_schema_is_public_if_introspection_is(start: Start) -> None:
    server = await start(documents="trusted", public_introspection=True)

    assert await server.post(query=SCHEMA) == (200, {"__schema": {"queryType": {"name": "Query"}}})
    assert await server.post(query="{ __typename organization { name } }") == (200, "DOCUMENT_NOT_TRUSTED")
    async with server.http.post("/graphql", json={"query": SCHEMA}) as response:
        assert "__schema" in outcome(await response.json())
    async with server.http.post("/graphql", json={"documentId": hash_of(NAME)}) as response:
        assert (response.status, outcome(await response.json())) == (401, "UNAUTHENTICATED")


async def test_jobs_as_code_work_in_the_mode_trusted(
    start: Start, database: Database, world: World, tmp_path: Path
) -> None:
    server = await start(documents="trusted")
    config = {"cluster": world.cluster.name, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    job = {"jobKey": "tides", "name": "Tides", "teams": [world.data_eng.name], "config": config}
    remote = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": await narrow(database, world.contributor)}

    async def jobs(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(invoke, "jobs", *arguments, str(tmp_path), **remote)
        return done.returncode, done.stderr

    assert await jobs("export") == (0, "")
    (tmp_path / "tides.yaml").write_text(text_of(job), "utf-8")
    assert await jobs("diff") == (2, "")
    assert await jobs("apply", "--yes") == (0, "")
    assert await jobs("diff") == (0, "")


async def test_the_mode_log_runs_all_and_logs_each_untrusted_document_once(start: Start) -> None:
    server = await start(documents="log")
    server.headers["apollographql-client-name"] = "web"

    with capture_logs() as log:
        for _ in range(2):
            assert await server.post(query=OTHER) == (200, TYPENAME)
            assert await server.post(query=NAME) == (200, HARBOR)
            assert await server.post(query=OTHER, free=True) == (200, TYPENAME)

    (line,) = [each for each in log if each["event"] == "untrusted document"]
    assert (line["document"], line["operation"], line["client_name"]) == (hash_of(OTHER), "Other", "web")
    assert line["refused"] is False
    assert 'mainsheet_untrusted_documents_total{outcome="executed"} 2.0' in await server.metrics()


async def test_the_mode_any_looks_no_text_up(start: Start, database: Database) -> None:
    server = await start()
    await catalogue.remove(database, [hash_of(NAME)])

    assert await server.post(query=NAME) == (200, HARBOR)
    assert "mainsheet_untrusted_documents_total{" not in await server.metrics()


async def test_requests_that_contradict_themselves_are_refused(start: Start) -> None:
    server = await start()
    bad: list[dict[str, Any]] = [
        {},
        {"query": " "},
        {"documentId": ""},
        {"documentId": 1},
        {"documentId": hash_of(NAME), "query": NAME},
        {"documentId": hash_of(NAME), **persisted(hash_of(NAME))},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(NAME)}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": "x"}},
        persisted("x" * 256),
        persisted(hash_of(OTHER)) | {"query": NAME},
    ]

    for each in bad:
        assert await server.post(**each) == (400, "BAD_USER_INPUT"), each


async def test_get_runs_no_mutation_that_is_named_by_its_id(start: Start, database: Database) -> None:
    text = 'mutation Delete { deleteJob(input: {jobId: "JB1"}) { deletedJobId } }'
    await catalogue.add(database, [Document("delete", text, "Delete")], catalogue.Client())
    server = await start(documents="trusted")

    assert await server.get(documentId="delete") == (405, "BAD_USER_INPUT")


async def test_a_document_is_trusted_for_the_members_of_each_organization(
    start: Start, database: Database, world: World
) -> None:
    server = await start(documents="trusted", untrusted_document_scopes=())
    server.secret = await narrow(database, world.foreign.admin)

    assert await server.post(documentId=hash_of(NAME)) == (200, {"organization": {"name": "lagoon"}})
    assert await server.post(query=OTHER) == (200, "DOCUMENT_NOT_TRUSTED")
