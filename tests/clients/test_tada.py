"""The types that gql.tada infers from documents and the schema fit what the server answers."""

import shutil
from dataclasses import replace

from tests import node
from tests.clients.conftest import HERE, SDL, Clients


async def test_inferred_types_page_copy_and_tell_errors_apart(clients: Clients) -> None:
    tada = replace(clients, folder=clients.folder / "tada")
    (tada.folder / "node_modules").symlink_to(await node.installed(HERE / "tada"))
    shutil.copy(SDL, tada.folder)
    await tada.tool("gql-tada", "generate-output", cwd=".")
    assert await tada.tool("tsc", "--project", "tsconfig.json", cwd=".") == ""

    found = await tada.script("jobs.ts")

    assert found == {
        "keys": await clients.job_keys(),
        "status": found["status"],
        "copied": {"number": 1},
        "stale": [1, False],
    }
