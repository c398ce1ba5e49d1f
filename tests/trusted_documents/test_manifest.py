"""The formats of manifests, and what is refused in them."""

import json
from typing import Any

import orjson
import pytest

from mainsheet.models.errors import BadInput
from mainsheet.models.trusted_document import LONGEST_ID, MOST_BYTES
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.trusted_documents import manifest
from tests.trusted_documents.conftest import NAME, OTHER, TWO, hash_of

ENTRIES = [{"id": "a", "name": "Name", "type": "query", "body": NAME}, {"id": "b", "body": TWO}]
APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": ENTRIES}


async def faults(content: Any, store: OperationStore) -> str:
    with pytest.raises(BadInput) as refused:
        await manifest.read(orjson.dumps(content), store)
    return str(refused.value)


async def test_the_formats_of_all_tools_are_read(store: OperationStore) -> None:
    by_id = {"a": NAME, "b": TWO}
    formats: list[Any] = [
        APOLLO,
        ENTRIES,
        by_id,
        {"a": {"name": "Name", "source": NAME}, "b": {"name": "Two", "source": TWO}},
    ]

    for each in formats:
        found = await manifest.read(orjson.dumps(each), store)
        assert {document.id: document.text for document in found} == by_id
        assert [document.name for document in found] == ["Name", "Name, Typename"]


async def test_an_anonymous_operation_is_named_so(store: OperationStore) -> None:
    (found,) = await manifest.read(orjson.dumps({"a": "{ __typename }"}), store)

    assert (found.name, found.hash) == ("(anonymous)", hash_of("{ __typename }"))


async def test_all_faults_of_a_manifest_are_reported_at_once(store: OperationStore) -> None:
    said = await faults(
        {
            "good": NAME,
            "unknown-field": "{ nothing }",
            "syntax": "{",
            "no-operation": "fragment F on Query { __typename }",
            "twice": "query A { __typename } query A { __typename }",
            "deep": "{" + "organization {" * 30 + "name" + "}" * 31,
            "nested": "{ jobs(filter: " + "[" * 5_000 + "]" * 5_000 + ") { totalCount } }",
            "long": f"# {'x' * MOST_BYTES}\n{NAME}",
            "nul": "{ __typename } # \0",
            "number": 1,
            "i d": NAME,
            "y:d": NAME,
            "x-own:d": NAME,
            "i" * (LONGEST_ID + 1): NAME,
            "": NAME,
            f"sha256:{hash_of(OTHER)}": NAME,
        },
        store,
    )

    lines = said.splitlines()
    assert lines[0] == "The manifest has faults, and nothing of it was added:"
    for each in ("unknown-field", "syntax", "no-operation", "twice", "deep", "nested", "long", "nul", "number"):
        assert any(line.startswith(f"{each}: ") for line in lines), each
    assert not any(line.startswith(("good", "x-own")) for line in lines)
    assert sum("ASCII characters" in line for line in lines) == 4
    assert sum("isn't the SHA-256" in line for line in lines) == 1


async def test_two_documents_of_one_id_are_a_fault(store: OperationStore) -> None:
    same = [{"id": "a", "body": NAME}, {"id": "a", "body": NAME}]

    assert len(await manifest.read(orjson.dumps(same), store)) == 1
    assert "a: two documents have this id." in await faults([*same, {"id": "a", "body": OTHER}], store)


async def test_an_object_that_has_an_id_twice_is_refused(store: OperationStore) -> None:
    name, other = json.dumps(NAME), json.dumps(OTHER)

    assert len(await manifest.read(f'{{"a": {name}, "a": {name}}}'.encode(), store)) == 1
    with pytest.raises(BadInput, match="The manifest has 'a' twice, with different values"):
        await manifest.read(f'{{"a": {name}, "a": {other}}}'.encode(), store)


async def test_what_is_no_manifest_is_refused(store: OperationStore) -> None:
    assert "must be an object" in await faults("text", store)
    assert "version 1" in await faults(APOLLO | {"version": 2}, store)
    assert "version 1" in await faults(APOLLO | {"format": "other"}, store)
    assert "needs an id" in await faults([1], store)
    with pytest.raises(BadInput, match="isn't valid JSON"):
        await manifest.read(b"\xff", store)
    with pytest.raises(BadInput, match="isn't valid JSON"):
        await manifest.read(b"[" * 100_000, store)
