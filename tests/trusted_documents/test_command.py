"""The commands `mainsheet documents add|list|remove`, on both databases."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import update

from mainsheet.models.clock import database_time
from mainsheet.models.trusted_document import TrustedDocument
from mainsheet.server.trusted_documents import catalogue
from testbed.databases import opened
from tests.server.commands import invoke
from tests.trusted_documents.conftest import NAME, OTHER, TWO


class Command:
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def run(self, *arguments: str, **environment: str) -> CompletedProcess[str]:
        return invoke("documents", *arguments, MAINSHEET_DATABASE_URL=self.url, **environment)

    def add(self, documents: Mapping[str, str], *options: str, **environment: str) -> CompletedProcess[str]:
        file = self.folder / "manifest.json"
        file.write_text(json.dumps(documents))
        return self.run("add", str(file), *options, **environment)

    def listed(self) -> dict[str, Any]:
        result = self.run("list", "--json")
        assert result.returncode == 0, result.stderr
        return {each["id"]: each for each in json.loads(result.stdout)}

    def use(self, id_: str) -> None:
        """Let the document have been used now."""

        async def used() -> None:
            async with opened(self.url) as database, database.writes.begin() as connection:
                row = update(TrustedDocument).where(TrustedDocument.id == id_)
                await connection.execute(row.values(last_used_at=database_time()))

        asyncio.run(used())


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    return Command(database_url, tmp_path)


def test_documents_are_added_once_and_listed(command: Command) -> None:
    first = command.add({"a": NAME, "b": TWO}, "--client", "web", "--client-version", "1.0")
    second = command.add({"b": TWO, "c": OTHER}, "--client", "web", "--client-version", "1.1")

    assert "added 2 documents; 0 already existed." in first.stdout
    assert "added 1 document; 1 already existed." in second.stdout
    listed = command.listed()
    assert {id_: each["clients"] for id_, each in listed.items()} == {
        "a": ["web 1.0"],
        "b": ["web 1.0", "web 1.1"],
        "c": ["web 1.1"],
    }
    assert (listed["b"]["operations"], listed["b"]["lastUsed"]) == ("Name, Typename", None)
    assert "never" in command.run("list").stdout

    command.add({"a": NAME})
    assert "(none), web 1.0" in command.run("list").stdout
    assert command.listed() == listed


def test_one_bad_document_refuses_the_manifest(command: Command) -> None:
    result = command.add({"a": NAME, "b": "{ nothing }"})

    assert result.returncode == 1
    assert "b: Cannot query field 'nothing' on type 'Query'." in result.stderr
    assert command.listed() == {}


def test_the_faulty_one_of_several_manifests_is_named(command: Command) -> None:
    for name, document in (("good", NAME), ("bad", "{ nothing }"), ("late", TWO)):
        (command.folder / name).write_text(json.dumps({name: document}))

    result = command.run("add", *(str(command.folder / name) for name in ("good", "bad", "late")))

    assert result.stdout == f"{command.folder}/good: added 1 document; 0 already existed.\n"
    assert f"{command.folder}/bad: The manifest has faults, and nothing of it was added:\nbad: " in result.stderr
    assert list(command.listed()) == ["good"]


def test_the_servers_limits_hold_for_added_documents(command: Command) -> None:
    result = command.add({"a": NAME}, MAINSHEET_MAX_DEPTH="1")

    assert (result.returncode, command.listed()) == (1, {})
    assert "a: " in result.stderr


def test_an_id_never_changes_its_document(command: Command) -> None:
    command.add({"a": NAME})

    result = command.add({"a": OTHER, "b": TWO})

    assert (result.returncode, list(command.listed())) == (1, ["a"])
    assert "Other documents have these ids, and nothing of the manifest was added: a." in result.stderr


def test_there_is_a_most_of_documents(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MOST_DOCUMENTS", 1)

    assert command.add({"a": NAME}).returncode == 0
    refused = command.add({"a": NAME, "b": TWO})

    assert (refused.returncode, list(command.listed())) == (1, ["a"])
    assert "at most 1 documents" in refused.stderr


def test_documents_are_removed_by_id(command: Command) -> None:
    command.add({"a": NAME, "b": TWO})

    unknown = command.run("remove", "a", "nothing")
    removed = command.run("remove", "a")

    assert (unknown.returncode, removed.stdout) == (1, "Removed 1 document.\n")
    assert "There are no documents with these ids, and nothing was removed: nothing." in unknown.stderr
    assert list(command.listed()) == ["b"]


def test_a_version_is_removed_with_the_documents_that_no_other_has(command: Command) -> None:
    command.add({"a": NAME, "b": TWO}, "--client", "web", "--client-version", "1.0")
    command.add({"b": TWO, "c": OTHER}, "--client", "web", "--client-version", "1.1")
    command.add({"c": OTHER}, "--client", "phone")

    removed = command.run("remove", "--client", "web", "--client-version", "1.0")
    assert (removed.stdout, list(command.listed())) == ("Removed 1 document.\n", ["b", "c"])

    removed = command.run("remove", "--client", "web")
    assert (removed.stdout, list(command.listed())) == ("Removed 1 document.\n", ["c"])
    assert command.listed()["c"]["clients"] == ["phone"]

    missing = command.run("remove", "--client", "web")
    assert (missing.returncode, "no documents of the client web" in missing.stderr) == (1, True)


def test_documents_in_use_are_removed_by_force_only(command: Command) -> None:
    command.add({"a": NAME, "b": TWO}, "--client", "web")
    command.use("a")

    refusals = [command.run("remove", "a", "b"), command.run("remove", "--client", "web")]
    for each in refusals:
        assert each.returncode == 1
        assert "Documents were used in the last 7 days, and nothing was removed: Name (a)." in each.stderr
    assert list(command.listed()) == ["a", "b"]
    assert command.listed()["a"]["clients"] == ["web"]

    assert command.run("remove", "--client", "web", "--force").stdout == "Removed 2 documents.\n"


def test_options_that_dont_fit_are_refused(command: Command) -> None:
    for arguments in (
        ("remove",),
        ("remove", "a", "--client", "web"),
        ("remove", "a", "--client-version", "1"),
        ("add",),
        ("add", "missing.json"),
    ):
        assert command.run(*arguments).returncode == 2, arguments
    assert command.add({"a": NAME}, "--client-version", "1").returncode == 2
    assert command.add({"a": NAME}, "--client", " ").returncode == 2
    assert command.add({"a": NAME}, "--client", "x" * 256).returncode == 2
