"""What the README says is so: every command runs, the query shown has the answer shown, every path is there."""

import asyncio
import json
import re
import shlex
import subprocess
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import update

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.cli import COMMANDS
from mainsheet.server.errors import Code
from tests.server.commands import PATIENCE, mainsheet, serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SHELL = [line.partition("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
INDENTED = [line.strip() for line in README.splitlines() if line.startswith("    make")]
MAKE = [*INDENTED, *(line for line in SHELL if line.startswith("make"))]
OURS = [line for line in SHELL if line.startswith("mainsheet")]
EXPORTED = [line for line in SHELL if line.startswith("export")]
EMAIL = "ada@example.com"
VIEWER = "viewer@harbor.example"


def block(kind: str) -> str:
    (found,) = [text for name, text in BLOCKS if name == kind]
    return str(found)


def test_no_command_is_of_a_kind_that_nothing_runs() -> None:
    assert [line for line in SHELL if line and line not in {*MAKE, *OURS, *EXPORTED}] == []
    assert len(MAKE) > 3
    assert len(OURS) >= 3


@pytest.mark.parametrize("line", MAKE)
def test_make_knows_the_target(line: str) -> None:
    """Run but for `-n`: these tests are one of the targets."""
    planned = subprocess.run([*shlex.split(line), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert planned.returncode == 0, planned.stderr


def test_the_codes_of_errors_are_those_that_the_server_has() -> None:
    assert re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| [45]", README, re.MULTILINE) == list(Code)


def test_the_deployment_runs_as_written(postgres_url: str) -> None:
    """In its order, on an empty database: the URL, the port and the host are ours, and `ada` has to be a member."""
    exported = dict(shlex.split(line)[1].split("=", 1) for line in EXPORTED)
    assert list(exported) == ["MAINSHEET_DATABASE_URL"]
    upgrade, create, serve = (shlex.split(line)[1:] for line in OURS)

    assert mainsheet(*upgrade, MAINSHEET_DATABASE_URL=postgres_url).returncode == 0
    add_member(postgres_url)
    created = mainsheet(*create, MAINSHEET_DATABASE_URL=postgres_url)
    assert serve[:3] == ["serve", "--host", "0.0.0.0"]  # a test opens no port to others
    with serving("--host", "127.0.0.1", *serve[3:], environment={"MAINSHEET_DATABASE_URL": postgres_url}) as server:
        data = asked(server.url, created.stdout.strip(), "{ me { member { email } } }")

    assert data == {"data": {"me": {"member": {"email": EMAIL}}}}


def add_member(url: str) -> None:
    assert mainsheet("db", "seed", MAINSHEET_DATABASE_URL=url).returncode == 0

    async def rename() -> None:
        database = Database.open(url)
        async with database.writes.begin() as connection:
            await connection.execute(update(Member).where(Member.email == VIEWER).values(email=EMAIL))
        await database.close()

    asyncio.run(rename())


def asked(url: str, token: str, query: str) -> object:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"query": query}).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


def test_the_query_shown_has_the_answer_shown(tmp_path: Path) -> None:
    with serving("--demo", "--database-url", f"sqlite:///{tmp_path}/demo.sqlite3") as server:
        answers = [asked(server.url, token, block("graphql")) for token in list(server.tokens.values())[:2]]

    assert answers == [json.loads(block("json"))] * 2


def test_every_path_named_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    folders = re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", README)

    assert len(folders) > 5
    for path in {*links, *(each for each in folders if not each.startswith("/"))}:
        assert (ROOT / path).exists(), path


def test_every_command_is_named() -> None:
    named = set(re.findall(r"`([a-z]+)[ `]", README))

    assert set(COMMANDS) <= named | {"settings"}
