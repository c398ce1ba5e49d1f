"""Runs the audits of the npm package `graphql-http`, by the authors of the specification, against a server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.node import node, workplace
from tests.server.conftest import Server

HERE = Path(__file__).parent / "audits"


@pytest.fixture(scope="session")
def audits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audits with their packages."""
    return asyncio.run(workplace(HERE, tmp_path_factory.mktemp("node") / "audits"))


async def test_every_audit_of_graphql_over_http_passes(audits: Path, server: Server) -> None:
    results: list[dict[str, Any]] = json.loads(
        (await node("run.mjs", str(server.url), server.token, cwd=audits)).output
    )

    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
