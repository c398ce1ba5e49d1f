"""The code that `@graphql-codegen/client-preset` generates from the schema is usable by a frontend."""

import asyncio
import re
from pathlib import Path

import pytest

from mainsheet.models import errors
from mainsheet.resolvers.write import COMMANDS
from mainsheet.schema.user_error import CLASSES
from tests.clients.conftest import ADMIN, SDL, Clients
from tests.server.commands import mainsheet


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
async def test_generated_types_cover_all_mutations_and_errors_of_jobs(clients: Clients) -> None:
    met = await clients.script("codegen/every-mutation.ts")

    assert set(met["answered"]) >= {each for each in COMMANDS if re.search(r"Job$|Draft$|Version$", each)}
    of_jobs = [each for each in CLASSES if each.__module__ == errors.__name__]
    assert set(met["met"]) >= {f"{each.__name__}Error" for each in of_jobs}


@pytest.mark.usefixtures("generated")
async def test_a_frontend_needs_no_mapping_in_a_day(clients: Clients, tmp_path: Path) -> None:
    seen = await clients.script("codegen/day.ts")
    remote = {"MAINSHEET_URL": clients.demo.url, "MAINSHEET_TOKEN": clients.demo.tokens[ADMIN]}
    commands = (["export"], ["apply", "--yes"])
    exported, applied = [
        await asyncio.to_thread(mainsheet, "jobs", *each, str(tmp_path), **remote) for each in commands
    ]

    assert seen["paused"] == sorted(f"fifty-{each}" for each in range(50))
    assert (exported.returncode, applied.returncode) == (0, 0), exported
    assert applied.stdout.startswith("0 created, 0 changed, ")
