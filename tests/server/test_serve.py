"""Starting, using and stopping the server."""

import json
import shlex
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from mainsheet.demo import DEMO_MEMBERS
from tests.server.commands import PATIENCE, Serving, expect_no_traceback, mainsheet, serving

RENAME = 'mutation { updateJob(input: {jobId: "%s", name: "Renamed"}) { userErrors { code } } }'
JOB = '{ jobByKey(jobKey: "daily-sales-etl") { id name } }'


def ask(server: Serving, query: str, member: str = "admin@harbor.example") -> Any:
    request = urllib.request.Request(
        server.url,
        json.dumps({"query": query}).encode(),
        {"Authorization": f"Bearer {server.tokens[member]}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.sqlite3"
    with serving("--demo", "--database-url", url) as server:
        yield server


def test_the_demo_prints_a_working_command_per_member(demo: Serving) -> None:
    assert list(demo.commands) == list(DEMO_MEMBERS)
    for email, command in demo.commands.items():
        answer = json.loads(subprocess.run(shlex.split(command), capture_output=True, check=True).stdout)
        assert answer["data"]["me"]["organization"]["name"] == email.partition("@")[2].removesuffix(".example")


def test_an_unknown_token_is_unauthorized(demo: Serving) -> None:
    request = urllib.request.Request(demo.url, b"{}", {"Authorization": "Bearer mst_nobody"})
    with pytest.raises(HTTPError, match="401") as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)

    assert "Bearer" in refused.value.headers["WWW-Authenticate"]
    refused.value.close()


def test_a_port_in_use_prints_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        url = f"sqlite:///{tmp_path}/demo.sqlite3"
        result = mainsheet("serve", "--demo", "--port", port, "--database-url", url)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: Port {port} of 127.0.0.1 is in use")
    expect_no_traceback(result.stderr)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_the_demo_listens_on_loopback_only(host: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.sqlite3"

    result = mainsheet("serve", "--demo", "--host", host, "--database-url", url)

    assert result.returncode == 1
    assert "loopback" in result.stderr
    assert not (tmp_path / "demo.sqlite3").exists()


def test_a_second_start_keeps_changes(tmp_path: Path) -> None:
    arguments = ("--demo", "--database-url", f"sqlite:///{tmp_path}/demo.sqlite3")
    with serving(*arguments) as server:
        job = ask(server, JOB)["data"]["jobByKey"]
        assert ask(server, RENAME % job["id"])["data"]["updateJob"]["userErrors"] == []
        assert server.stop() == 0

    with serving(*arguments) as server:
        assert ask(server, JOB)["data"]["jobByKey"] == {"id": job["id"], "name": "Renamed"}
        assert server.stop() == 0


def test_demo_tokens_are_revoked_without_the_demo_flag(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    with serving("--demo", "--database-url", url) as demo:
        assert ask(demo, JOB)["data"]["jobByKey"]["name"]
        assert demo.stop() == 0

    with serving("--database-url", url) as server, pytest.raises(HTTPError) as refusal:
        ask(replace(server, tokens=demo.tokens), JOB)

    with refusal.value as response:
        assert response.code == 401


def test_both_executors_send_the_same_bytes(demo: Serving, tmp_path: Path) -> None:
    query = """{ jobs(limit: 20, sortBy: JOB_KEY) { nodes {
        jobKey createdAt updatedAt
        currentVersion { publishedAt schedule { nextFireTimes(after: "2026-01-01T00:00:00Z") } }
    } } }"""
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    with serving("--demo", "--database-url", url, environment={"MAINSHEET_EXECUTOR": "reference"}) as reference:
        theirs = ask(reference, query)
    with serving("--demo", "--database-url", url) as compiled:
        ours = ask(compiled, query)

    assert json.dumps(ours) == json.dumps(theirs)
    assert len(ours["data"]["jobs"]["nodes"]) == 20
