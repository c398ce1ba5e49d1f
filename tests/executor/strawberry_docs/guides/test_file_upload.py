"""Files of a multipart request are arguments, also in lists and in inputs."""

import json
from typing import Any

import aiohttp
import pytest
import strawberry
from strawberry.file_uploads import Upload

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make
from tests.executor.strawberry_docs.http import served


@strawberry.input
class FolderInput:
    files: list[Upload]


@strawberry.type
class Read:
    content: str


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def size(self, file: Upload) -> int:
        return len(file.read())  # type: ignore[attr-defined]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def read_file(self, file: Upload) -> Read:
        return Read(content=file.read().decode())  # type: ignore[attr-defined]

    @strawberry.mutation
    def read_files(self, files: list[Upload]) -> list[Read]:
        return [Read(content=each.read().decode()) for each in files]  # type: ignore[attr-defined]

    @strawberry.mutation
    def read_folder(self, folder: FolderInput) -> list[Read]:
        return [Read(content=each.read().decode()) for each in folder.files]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "variables", "places", "data", "outcome"),
    [
        (
            "mutation ($file: Upload!) { readFile(file: $file) { content } }",
            {"file": None},
            ["variables.file"],
            {"readFile": {"content": "a"}},
            Outcome.PARTS,
        ),
        (
            "mutation ($files: [Upload!]!) { readFiles(files: $files) { content } }",
            {"files": [None, None]},
            ["variables.files.0", "variables.files.1"],
            {"readFiles": [{"content": "a"}, {"content": "b"}]},
            Outcome.PARTS,
        ),
        (
            "mutation ($folder: FolderInput!) { readFolder(folder: $folder) { content } }",
            {"folder": {"files": [None, None]}},
            ["variables.folder.files.0", "variables.folder.files.1"],
            {"readFolder": [{"content": "a"}, {"content": "b"}]},
            Outcome.PARTS,
        ),
        (
            "query ($file: Upload!) { size(file: $file) }",
            {"file": None},
            ["variables.file"],
            {"size": 1},
            Outcome.COMPILED,
        ),
    ],
)
async def test_files_are_read(
    async_schema: Make, query: str, variables: Any, places: list[str], data: Any, outcome: Outcome
) -> None:
    api = async_schema(Query, Mutation)
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("operations", json.dumps({"query": query, "variables": variables}))
    form.add_field("map", json.dumps({f"file{number}": [place] for number, place in enumerate(places)}))
    for number in range(len(places)):
        form.add_field(f"file{number}", "ab"[number], filename=f"{number}.txt")

    async with served(api, multipart_uploads_enabled=True) as client:
        response = await client.post("/graphql", data=form)
        answer = await response.json()

    assert answer == {"data": data}
    api.was_executed(outcome)
