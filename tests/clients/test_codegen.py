"""The code that `@graphql-codegen/client-preset` generates from the schema is usable by a frontend."""

import asyncio
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, build_schema

from tests.clients.conftest import ADMIN, SDL, Clients

SCHEMA = build_schema(SDL.read_text("utf-8"))


@pytest.fixture(scope="module")
def generated(clients: Clients) -> Path:
    """Generate the types from the SDL file."""
    asyncio.run(clients.tool("graphql-codegen", "--config", "codegen.ts", cwd="codegen", SCHEMA=str(SDL), TOKEN=""))
    return clients.folder / "codegen/generated"


def texts(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text("utf-8") for each in folder.iterdir()}


async def test_the_file_and_the_live_server_give_the_same_types(clients: Clients, generated: Path) -> None:
    from_server = {"SCHEMA": clients.demo.url, "TOKEN": clients.demo.tokens[ADMIN], "OUTPUT": "introspected"}

    await clients.tool("graphql-codegen", "--config", "codegen.ts", cwd="codegen", **from_server)

    assert len(texts(generated)) == 4
    assert texts(generated.with_name("introspected")) == texts(generated)


@pytest.mark.usefixtures("generated")
async def test_the_types_are_strict_enough_for_typescript(clients: Clients) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd="codegen") == ""


@pytest.mark.usefixtures("generated")
async def test_generated_types_cover_all_mutations_and_errors(clients: Clients) -> None:
    met = await clients.script("codegen/every-mutation.ts")

    refusals = SCHEMA.type_map["UserError"]
    assert isinstance(refusals, GraphQLInterfaceType)
    assert SCHEMA.mutation_type
    assert set(met["answered"]) >= set(SCHEMA.mutation_type.fields)
    assert set(met["met"]) == {each.name for each in SCHEMA.get_possible_types(refusals)}
