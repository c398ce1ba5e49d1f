"""A server in each mode, and a client whose token may run trusted documents only."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from aiohttp import ClientSession

from mainsheet.executor import core_schema
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.schema.api import api
from mainsheet.server.auth import tokens
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.settings import Settings
from mainsheet.server.trusted_documents import catalogue
from mainsheet.server.trusted_documents.catalogue import Client
from mainsheet.server.trusted_documents.manifest import Document
from testbed.app import running_app
from testbed.world import World, token

NAME = "query Name { organization { name } }"
TWO = "query Name { organization { name } } query Typename { __typename }"
OTHER = "query Other { __typename }"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def document(text: str, id_: str | None = None, name: str = "Name") -> Document:
    return Document(id_ or hash_of(text), text, name)


def persisted(hash_: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_}}}


@dataclass
class Server:
    url: str
    http: ClientSession
    secret: str
    free_secret: str  # of a token that may run any document
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, accept: str = "application/json", *, free: bool = False, **body: Any) -> tuple[int, Any]:
        """Return the status, and the data or the code of the only error."""
        headers = self.headers | {"Authorization": f"Bearer {self.free_secret if free else self.secret}"}
        async with self.http.post(GRAPHQL_PATH, json=body, headers=headers | {"Accept": accept}) as response:
            return response.status, outcome(await response.json())

    async def get(self, **parameters: str) -> tuple[int, Any]:
        headers = self.headers | {"Authorization": f"Bearer {self.secret}"}
        async with self.http.get(GRAPHQL_PATH, params=parameters, headers=headers) as response:
            return response.status, outcome(await response.json())

    async def metrics(self) -> str:
        async with self.http.get("/metrics") as response:
            return await response.text()


def outcome(answer: Mapping[str, Any]) -> Any:
    if "errors" not in answer:
        return answer["data"]
    (error,) = answer["errors"]
    return error["extensions"]["code"]


Start = Callable[..., Awaitable[Server]]


@pytest.fixture
async def start(database: Database, world: World) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def started(**settings: Any) -> Server:
            url, _ = await stack.enter_async_context(running_app(database, Settings(**settings)))
            http = await stack.enter_async_context(ClientSession(url))
            return Server(url, http, await narrow(database, world.viewer), await token(database, world.viewer))

        yield started


async def narrow(database: Database, member: Member) -> str:
    """Return the secret of a token that has only the scopes READ and WRITE."""
    return await tokens.create(database, member.email, None, None)


@pytest.fixture
async def trusted(database: Database) -> None:
    """Two trusted documents: one under its hash, and one with two operations under an id of its own."""
    documents = [document(NAME), document(TWO, "two-operations")]
    assert await catalogue.add(database, documents, Client("web", "1.0")) == 2


@pytest.fixture(scope="session")
def store() -> OperationStore:
    return OperationStore(core_schema(api), Limits.of(Settings()), capacity=0)
