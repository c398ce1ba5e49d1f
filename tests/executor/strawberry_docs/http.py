"""Serves a schema by Strawberry's view for aiohttp, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from strawberry.aiohttp.views import GraphQLView

from tests.executor.strawberry_docs.api import Api


@asynccontextmanager
async def served(
    api: Api, view: type[GraphQLView[Any, Any]] = GraphQLView, **options: Any
) -> AsyncIterator[TestClient[Any, Any]]:
    app = web.Application()
    app.router.add_route("*", "/graphql", view(api.schema, **options))
    async with TestClient(TestServer(app)) as client:
        yield client
