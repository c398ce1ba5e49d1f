"""The README is correct: commands run, the query has the shown response, and paths exist."""

import json
import re
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import click
import pytest

from mainsheet.server.cli import main
from mainsheet.server.errors import Code
from testbed.databases import postgres_database
from tests.server.commands import PATIENCE, mainsheet, serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SHELL = [line.partition("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
INDENTED = [line.strip() for line in README.splitlines() if line.startswith("    make")]
MAKE = [*INDENTED, *(line for line in SHELL if line.startswith("make"))]
OURS = [line for line in SHELL if line.startswith("mainsheet")]
EXPORTED = [line for line in SHELL if line.startswith("export")]


def block(kind: str) -> str:
    (found,) = [text for name, text in BLOCKS if name == kind]
    return str(found)


def test_every_command_is_of_a_tested_kind() -> None:
    assert [line for line in SHELL if line and line not in {*MAKE, *OURS, *EXPORTED}] == []
    assert len(MAKE) > 3
    assert len(OURS) >= 3


@pytest.mark.parametrize("line", MAKE)
def test_every_make_target_exists(line: str) -> None:
    """Run with `-n`, because these tests are one of the targets."""
    planned = subprocess.run([*shlex.split(line), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert planned.returncode == 0, planned.stderr


def test_error_codes_are_complete() -> None:
    assert re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| [245]", README, re.MULTILINE) == [*Code, "SCOPE_MISSING"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_five_commands_lead_to_the_first_job(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Run the commands in order on an empty database, with another URL, port and host."""
    exported = dict(shlex.split(line)[1].split("=", 1) for line in EXPORTED)
    assert list(exported) == ["MAINSHEET_DATABASE_URL"]
    upgrade, create, serve, apply, apply_jobs = (shlex.split(line)[1:] for line in OURS)
    organization, job = [text for name, text in BLOCKS if name == "yaml"]
    (tmp_path / "jobs").mkdir()
    (tmp_path / "acme.yaml").write_text(organization, "utf-8")
    (tmp_path / "jobs/daily-sales.yaml").write_text(job, "utf-8")

    async with AsyncExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'new.sqlite3'}"
        if kind == "postgresql":
            url = await stack.enter_async_context(postgres_database(request.getfixturevalue("postgres_server")))
        else:
            serve = serve[:-2]  # SQLite is for one process
        own = {"MAINSHEET_DATABASE_URL": url}
        assert mainsheet(*upgrade, **own).returncode == 0
        secret = mainsheet(*create, **own).stdout.strip()
        assert serve[:3] == ["serve", "--host", "0.0.0.0"]  # a test opens no port to others
        with serving("--host", "127.0.0.1", *serve[3:], environment=own) as server:
            remote = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": secret}
            assert apply[-1] == "acme.yaml"
            assert mainsheet(*apply[:-1], "--yes", str(tmp_path / apply[-1]), **remote).returncode == 0
            assert mainsheet(*apply_jobs[:-1], "--yes", str(tmp_path / apply_jobs[-1]), **remote).returncode == 0
            data = asked(server.url, secret, "{ jobs { nodes { jobKey createdBy { displayName } } } }")

    assert data == {"data": {"jobs": {"nodes": [{"jobKey": "daily-sales", "createdBy": {"displayName": "Ada"}}]}}}


def asked(url: str, token: str, query: str) -> object:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"query": query}).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


def test_the_example_query_has_the_example_response(tmp_path: Path) -> None:
    with serving("--demo", "--database-url", f"sqlite:///{tmp_path}/demo.sqlite3") as server:
        answers = [asked(server.url, token, block("graphql")) for token in list(server.tokens.values())[:2]]

    assert answers == [json.loads(block("json"))] * 2


def test_every_path_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    folders = re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", README)

    assert len(folders) > 5
    for path in {*links, *(each for each in folders if not each.startswith("/"))}:
        assert (ROOT / path).exists(), path


def test_every_command_is_mentioned() -> None:
    lists = re.findall(r"`([a-z]+)(?: ([a-z|]+))?(?: [A-Z].*?)?`", README.partition("lists the commands: ")[2])
    named = {f"{name} {each}".strip() for name, subcommands in lists for each in subcommands.split("|")}

    assert {" ".join(path) for path in leaves(main)} <= named


def leaves(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found
        yield from leaves(found, *path, name)
