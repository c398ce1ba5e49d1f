"""Mainsheet 0.1.0 beside this version: run from its wheel, on a database of its own with the same rows."""

import asyncio
import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.servers import ROOT, Server, on_database
from benchmarks.statements import statements
from benchmarks.workloads import Call, Workload, as_mainsheet
from testbed.databases import connected, execute

VERSION = "0.1.0"  # its names in queries, its tables and its packages are known here and in the files beside
WHEEL = ROOT / "releases" / VERSION / f"mainsheet-{VERSION}-py3-none-any.whl"
FOLDER = ROOT / ".venv" / "bench" / f"release-{VERSION}"
PROGRAM = (sys.executable, "-c", "from server.cli import main; main()")
LOCK = Path(__file__).with_name("release.lock")  # what the release needs and this version doesn't
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-compile")
# Of the other packages it uses those of this environment, so that only Mainsheet's own code differs.
ENVIRONMENT = {"PYTHONPATH": str(FOLDER), "PYTHONSAFEPATH": "1", "MAINSHEET_LOG_LEVEL": "warning"}
STATEMENTS = {**data.STATEMENTS, **statements("release.sql")}  # in the order of data.sql
DATABASE = "release"

TOKENS = "SELECT id, organization_id, actor_id AS member_id, digest, created_at FROM access_token"


def _ask(url: str, workload: Workload, call: Call) -> tuple[str, bytes]:
    """Ask in the names of the release's schema."""
    document = workload.document.replace("actor { id displayName }", "actor: member { id displayName: name }")
    return as_mainsheet(url, dataclasses.replace(workload, document=document), call)


SERVER = Server(
    "release",
    "Mainsheet, released",
    [*PROGRAM, "serve", "--port", "0"],
    _ask,
    lambda: VERSION,
    ENVIRONMENT,
    database=DATABASE,
)


def fill(url: str, jobs: int = data.JOBS) -> None:
    """Install the release unless it is there, and make its database on the server of `url`."""
    if not FOLDER.exists():
        _install()
    asyncio.run(execute(url, f"CREATE DATABASE {DATABASE}"))
    data.fill(on_database(url, DATABASE), jobs, program=PROGRAM, environment=ENVIRONMENT, sql=STATEMENTS)


def _install() -> None:
    with tempfile.TemporaryDirectory(dir=ROOT / ".venv") as folder:
        new = Path(folder) / FOLDER.name
        subprocess.run([*PIP, "--target", new, WHEEL], check=True)
        subprocess.run([*PIP, "--target", new, "--upgrade", "--require-hashes", "--requirement", LOCK], check=True)
        FOLDER.parent.mkdir(exist_ok=True)
        new.rename(FOLDER)


async def copy_tokens(url: str) -> None:
    """Let the release accept this version's tokens, of which both store the same digest."""
    async with connected(url) as from_, connected(on_database(url, DATABASE)) as to:
        rows = await from_.fetch(TOKENS)
        await to.copy_records_to_table("api_token", records=rows, columns=list(rows[0].keys()))
