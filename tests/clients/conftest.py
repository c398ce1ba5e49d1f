"""The demo in a separate process, and the client scripts next to their packages."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests import node
from tests.server.commands import Serving, serving

HERE = Path(__file__).parent
SDL = HERE.parents[1] / "schema/schema.graphql"
ADMIN = "admin@harbor.example"


@dataclass(frozen=True)
class Clients:
    folder: Path
    demo: Serving

    async def tool(self, name: str, *arguments: str, cwd: str, **environment: str) -> str:
        """Run a command of an npm package."""
        command = (self.folder / "node_modules/.bin" / name).resolve()
        return (await node.node(command, *arguments, cwd=self.folder / cwd, **environment)).output

    async def script(self, path: str, **environment: str) -> Any:
        """Run a script against the demo and return its output. A warning fails the test."""
        file = self.folder / path
        told = {"URL": self.demo.url, "TOKEN": self.demo.tokens[ADMIN], "TOKENS": json.dumps(self.demo.tokens)}
        output, complaints = await node.node(file.name, cwd=file.parent, **told, **environment)
        assert complaints == ""
        return json.loads(output)

    async def job_keys(self) -> list[str]:
        """Return the keys of all jobs in order, requested without a client library."""
        headers = {"Authorization": f"Bearer {self.demo.tokens[ADMIN]}"}
        body = {"query": "{ me { jobs(sortBy: JOB_KEY) { totalCount nodes { jobKey } } } }"}
        async with ClientSession(headers=headers) as http, http.post(self.demo.url, json=body) as response:
            jobs = (await response.json())["data"]["me"]["jobs"]
        assert len(jobs["nodes"]) == jobs["totalCount"]
        return [job["jobKey"] for job in jobs["nodes"]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    with serving("--demo", "--database-url", f"sqlite:///{path}") as server:
        yield server


@pytest.fixture(scope="session")
def clients(demo: Serving, tmp_path_factory: pytest.TempPathFactory) -> Clients:
    folder = asyncio.run(node.workplace(HERE, tmp_path_factory.mktemp("node") / "clients"))
    return Clients(folder, demo)
