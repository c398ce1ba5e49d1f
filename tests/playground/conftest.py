"""The demo, served by this process from a fresh copy of its database."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from mainsheet.models.database import Database
from mainsheet.server.commands.demo import introduce
from mainsheet.server.http.playground import Playground
from mainsheet.server.observe.trace import context_type
from mainsheet.server.settings import Settings
from testbed.app import running_app

pytest.register_assert_rewrite("tests.playground.browser")

from tests.playground import browser  # noqa: E402 its assertions are rewritten from now on


@dataclass(frozen=True)
class Demo:
    url: str
    http: ClientSession
    tokens: Mapping[str, str]

    async def ask(
        self, email: str, query: str, variables: object = None, operation: str | None = None, **headers: str
    ) -> Any:
        body = {"query": query, "variables": variables, "operationName": operation}
        headers["Authorization"] = f"Bearer {self.tokens[email]}"
        async with self.http.post("/graphql", json=body, headers=headers) as response:
            return await response.json()


@pytest.fixture
def page() -> Playground:
    built = Playground.built()
    assert built, "`make playground` builds the page"
    return built


@pytest.fixture
async def demo(sqlite_demo: Path, tmp_path: Path, page: Playground) -> AsyncIterator[Demo]:
    async with served(sqlite_demo, tmp_path, page, is_demo=True) as demo:
        yield demo


@pytest.fixture
async def no_demo(sqlite_demo: Path, tmp_path: Path, page: Playground) -> AsyncIterator[Demo]:
    """The same data, without members and tokens for the page."""
    async with served(sqlite_demo, tmp_path, page, is_demo=False) as demo:
        yield demo


@pytest.fixture
async def playground(demo: Demo) -> AsyncIterator[browser.Playground]:
    """The page of the demo in a browser."""
    async with browser.opened(demo.url) as playground:
        yield playground


@asynccontextmanager
async def served(
    template: Path, folder: Path, page: Playground | None, *, is_demo: bool, port: int = 0
) -> AsyncIterator[Demo]:
    path = shutil.copy(template, folder / "demo.sqlite3")
    database = Database.open(f"sqlite:///{path}")
    settings = Settings(demo=is_demo)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        parts = {"open_context": partial(context_type(settings), database), "playground": page}
        url, _ = await stack.enter_async_context(running_app(database, settings, port=port, **parts))
        members = await introduce(database, f"{url}/graphql")
        if is_demo and page:
            page.members.extend(members)
        http = await stack.enter_async_context(ClientSession(url))
        yield Demo(f"{url}/graphql", http, {member["email"]: member["token"] for member in members})
