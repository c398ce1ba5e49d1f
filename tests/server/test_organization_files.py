"""`mainsheet apply` and `mainsheet export` against a real server on each database."""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

from mainsheet.server.commands.as_code import done_shown
from mainsheet.server.job_files.files import text_of
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.organization_files.document import is_same
from testbed.databases import postgres_database, sqlite_database
from tests.server.commands import Serving, invoke, serving
from tests.server.test_cli import refused

ADMIN = "ada@acme.example"
ACME: Mapping[str, Any] = {
    "organization": "acme",
    "teams": [{"name": "data", "description": "Data engineering"}, {"name": "ops"}],
    "clusters": [{"name": "prod", "region": "eu-central-1"}, {"name": "old", "status": "DESTROYED"}],
    "members": [
        {"email": ADMIN, "name": "Ada", "organizationRole": "ADMIN", "teams": [{"team": "data", "role": "ADMIN"}]},
        {"email": "Bob@acme.example", "name": "Bob", "teams": [{"team": "data", "role": "CONTRIBUTOR"}]},
        {"email": "eve@acme.example", "name": "Eve", "status": "DISABLED"},
    ],
    "serviceAccounts": [{"name": "worker", "teams": [{"team": "data", "role": "CONTRIBUTOR"}]}],
    "savedQueries": [{"name": "orders", "team": "data", "sql": "SELECT *\nFROM orders\n"}],
}
TOKEN = "query { accessTokens(first: 0) { totalCount } }"
SHARE = """mutation ($input: CreateJobInput!) { createJob(input: $input) { userErrors { message } } }"""
IDS = "query { teams { nodes { id name } } clusters { nodes { id name } } }"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, str]]:
    """A server that takes only short requests, and the URL of its database."""
    if request.param == "sqlite":
        copied = sqlite_database(tmp_path_factory.mktemp("acme"), request.getfixturevalue("sqlite_template"))
        with _server(copied) as made:
            yield made, copied
        return
    context = postgres_database(
        request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template")
    )
    with asyncio.Runner() as runner:
        url = runner.run(context.__aenter__())
        with _server(url) as made:
            yield made, url
        runner.run(context.__aexit__(None, None, None))


def _server(url: str) -> AbstractContextManager[Serving]:
    return serving(environment={"MAINSHEET_DATABASE_URL": url, "MAINSHEET_MAX_BODY_BYTES": "4096"})


class Organization:
    """A new organization, with the commands as its administrator."""

    def __init__(self, server: tuple[Serving, str], directory: Path, name: str = "acme") -> None:
        serving, url = server
        made = invoke("init", "--organization", name, "--admin", ADMIN, MAINSHEET_DATABASE_URL=url)
        self.environment = {"MAINSHEET_URL": serving.url, "MAINSHEET_TOKEN": made.stdout.strip()}
        self.path = directory / "acme.yaml"

    def apply(self, document: Mapping[str, Any], *arguments: str) -> tuple[int, str, str]:
        self.path.write_text(text_of(document), "utf-8")
        done = invoke("apply", "--yes", *arguments, str(self.path), **self.environment)
        return done.returncode, done.stdout, done.stderr

    def exported(self) -> Any:
        return yaml.safe_load(invoke("export", **self.environment).stdout)

    def ask(self, query: str, **variables: Any) -> Any:
        async def asked() -> Any:
            async with Remote(self.environment["MAINSHEET_URL"], self.environment["MAINSHEET_TOKEN"]) as remote:
                return await remote.send(query, **variables)

        return asyncio.run(asked())


@pytest.fixture
def acme(server: tuple[Serving, str], tmp_path: Path) -> Organization:
    """An organization of its own for each test: names needn't be unique, but `init` refuses the same twice."""
    name = f"acme-{tmp_path.name}"
    return Organization(server, tmp_path, name)


def of(acme: Organization, **changes: Any) -> dict[str, Any]:
    name = acme.ask("{ organization { name } }")["organization"]["name"]
    return {**ACME, "organization": name, **changes}


def change(document: Mapping[str, Any], section: str, index: int, **values: Any) -> dict[str, Any]:
    objects = [dict(each) for each in document[section]]
    objects[index] |= values
    return {**document, section: objects}


def test_a_file_is_planned_applied_and_then_unchanged(acme: Organization) -> None:
    document = of(acme)

    planned = acme.apply(document, "--dry-run")
    tokens = acme.ask(TOKEN)
    applied = acme.apply(document)
    again = acme.apply(document)
    settled = acme.apply(document, "--dry-run")

    summary = "11 to create, 2 to change, 0 unchanged, 0 refused, 0 to delete.\n"
    assert (planned[0], planned[1].endswith(summary)) == (2, True), planned
    assert "+ member bob@acme.example in data  to create\n    + role: CONTRIBUTOR\n" in planned[1]
    assert "~ member eve@acme.example  to change\n    ~ status: ACTIVE → DISABLED\n" in planned[1]
    assert (applied[0], applied[1].splitlines()[-1]) == (
        0,
        "11 created, 2 changed, 0 unchanged, 0 refused, 0 deleted.",
    )
    assert again == (0, "0 created, 0 changed, 9 unchanged, 0 refused, 0 deleted.\n", "")
    assert settled[0] == 0
    assert acme.ask(TOKEN) == tokens


def test_a_changed_file_is_a_readable_plan(acme: Organization) -> None:
    document = of(acme)
    acme.apply(document)
    changed = change(document, "teams", 0, description=None)
    changed = change(changed, "clusters", 0, region="eu-west-1")
    changed = change(changed, "members", 1, name="Robert", teams=[{"team": "data", "role": "VIEWER"}])
    changed = change(changed, "members", 2, status="ACTIVE", teams=[{"team": "ops", "role": "ADMIN"}])

    planned = acme.apply(changed, "--dry-run")
    structured = json.loads(acme.apply(changed, "--dry-run", "--format", "json")[1])
    markdown = acme.apply(changed, "--dry-run", "--format", "markdown")[1]
    applied = acme.apply(changed, "--message", "Spring cleaning")

    assert planned == (
        2,
        (
            "~ team data  to change\n"
            "    - description: Data engineering\n"
            "~ cluster prod  to change\n"
            "    ~ region: eu-central-1 → eu-west-1\n"
            "~ member bob@acme.example  to change\n"
            "    ~ name: Bob → Robert\n"
            "~ member bob@acme.example in data  to change\n"
            "    ~ role: CONTRIBUTOR → VIEWER\n"
            "~ member eve@acme.example  to change\n"
            "    ~ status: DISABLED → ACTIVE\n"
            "+ member eve@acme.example in ops  to create\n"
            "    + role: ADMIN\n"
            "1 to create, 5 to change, 5 unchanged, 0 refused, 0 to delete.\n"
        ),
        "",
    )
    assert structured[0] == {
        "object": "team data",
        "file": str(acme.path),
        "outcome": "CHANGED",
        "changes": [{"kind": "REMOVED", "path": "description", "before": "Data engineering", "after": None}],
        "userErrors": [],
    }
    assert "**Organization: 1 to create, 5 to change" in markdown
    assert applied[0] == 0
    assert acme.apply(changed, "--dry-run")[0] == 0
    events = acme.ask("{ events(last: 6) { nodes { message } } }")["events"]["nodes"]
    assert {"message": "Spring cleaning"} in events


def test_only_prune_removes_what_the_file_does_not_have(acme: Organization) -> None:
    document = of(acme)
    acme.apply(document)
    acme.apply(change(document, "teams", 1, externalId="T1", managedBy="okta"))
    left = {name: document[name] for name in ("organization", "members", "serviceAccounts")}
    left |= {"teams": document["teams"][:1], "clusters": [], "members": [{**document["members"][1], "teams": []}]}

    kept = acme.apply(left)
    pruned = acme.apply(left, "--prune")
    again = acme.apply(left, "--prune")

    assert kept[:2] == (0, "0 created, 0 changed, 3 unchanged, 0 refused, 0 deleted.\n")
    removed = "member bob@acme.example in data, cluster old, cluster prod"
    assert kept[2] == f"Not in the file, and kept: {removed}. --prune removes them.\n"
    assert pruned == (
        0,
        (
            "- member bob@acme.example in data  deleted\n"
            "    - role: CONTRIBUTOR\n"
            "- cluster old  deleted\n"
            "- cluster prod  deleted\n"
            "0 created, 0 changed, 3 unchanged, 0 refused, 3 deleted.\n"
        ),
        "",
    )
    assert again[0] == 0
    exported = acme.exported()
    assert [each["name"] for each in exported["teams"]] == ["data", "ops"]  # another system manages ops
    assert exported["clusters"] == []
    assert exported["savedQueries"] == ACME["savedQueries"]  # the file has no such section
    assert [each.get("status") for each in exported["members"]] == ["ACTIVE", "ACTIVE", "DISABLED"]  # the caller stays


def test_prune_disables_service_accounts_and_members(acme: Organization) -> None:
    document = of(acme)
    acme.apply(document)

    pruned = acme.apply({**document, "members": [], "serviceAccounts": []}, "--prune")

    assert pruned[0] == 0
    assert "~ service account worker  changed\n    ~ status: ACTIVE → DISABLED\n" in pruned[1]
    assert "~ member bob@acme.example  changed\n" in pruned[1]
    assert ADMIN not in pruned[1]
    assert "eve@" not in pruned[1]  # is disabled already


def test_what_another_system_manages_is_refused(acme: Organization) -> None:
    document = of(acme)
    owned = change(document, "members", 1, externalId="00u1", managedBy="okta")
    owned = change(owned, "teams", 0, externalId="00g1", managedBy="okta")
    acme.apply(document)
    assert acme.apply(owned)[0] == 0

    unchanged = acme.apply(document)
    changed = change(change(document, "members", 1, name="Robert"), "members", 2, teams=ACME["members"][0]["teams"])
    refused = acme.apply(changed)
    as_okta = acme.apply(changed, "--managed-by", "okta")

    assert unchanged[:2] == (0, "0 created, 0 changed, 9 unchanged, 0 refused, 0 deleted.\n")
    assert refused[0] == 1
    assert f"! member bob@acme.example  refused\n    {acme.path}: managedBy: okta manages it.\n" in refused[1]
    assert (
        f"! member eve@acme.example in data  refused\n    {acme.path}: managedBy: okta manages the team.\n"
        in refused[1]
    )
    assert as_okta[0] == 0, as_okta


def test_what_the_token_has_no_scope_for_is_refused(acme: Organization, server: tuple[Serving, str]) -> None:
    document = of(acme)
    organization = acme.ask("{ organization { id } }")["organization"]["id"]
    options = ("--member", ADMIN, "--organization", organization, "--scope", "READ")
    token = invoke("token", "create", *options, MAINSHEET_DATABASE_URL=server[1]).stdout.strip()
    acme.environment["MAINSHEET_TOKEN"] = token

    text = acme.apply(document, "--dry-run")[1]
    markdown = acme.apply(document, "--dry-run", "--format", "markdown")[1]

    reason = "Your token lacks the scope ADMIN, which this mutation needs.\n"
    assert f"! team data  refused\n    {acme.path}: {reason}" in text
    assert f"`team data`: refused\n- {reason}" in markdown


def test_an_external_id_finds_an_object_with_another_name(acme: Organization) -> None:
    document = change(of(acme), "teams", 0, externalId="T1")
    acme.apply(document)
    renamed = change(document, "teams", 0, name="analytics")
    roles = [{"team": "analytics", "role": "CONTRIBUTOR"}]
    for section, index in (("members", 1), ("serviceAccounts", 0)):
        renamed = change(renamed, section, index, teams=roles)
    renamed = change(renamed, "members", 0, teams=[{"team": "analytics", "role": "ADMIN"}])
    renamed = change(renamed, "savedQueries", 0, team="analytics")

    applied = acme.apply(renamed, "--prune")

    assert applied[:2] == (
        0,
        (
            "~ team analytics  changed\n    ~ name: data → analytics\n"
            "0 created, 1 changed, 8 unchanged, 0 refused, 0 deleted.\n"
        ),
    )
    assert acme.apply(renamed)[0] == 0
    assert acme.exported()["serviceAccounts"][0]["teams"] == roles


def test_a_refused_part_is_shown_and_the_others_are_applied(acme: Organization) -> None:
    document = of(acme)
    bad = change(document, "members", 1, teams=[{"team": "nobody", "role": "VIEWER"}])
    bad = change(bad, "members", 0, organizationRole="MEMBER")
    bad = {**bad, "savedQueries": [{"name": "loose", "sql": "SELECT 1"}]}

    code, shown, _ = acme.apply(bad)

    assert code == 1
    assert f"! member bob@acme.example in nobody  refused\n    {acme.path}: team: There is no team 'nobody'.\n" in shown
    assert f"! member {ADMIN}  refused\n" in shown
    assert f"! saved query loose  refused\n    {acme.path}: team: A new saved query needs a team.\n" in shown
    assert shown.endswith("\n9 created, 1 changed, 0 unchanged, 3 refused, 0 deleted.\n")
    assert [each["name"] for each in acme.exported()["teams"]] == ["data", "ops"]


def test_what_jobs_use_is_not_pruned(acme: Organization) -> None:
    document = of(acme)
    acme.apply(document)
    found = acme.ask(IDS)
    config = {"clusterId": found["clusters"]["nodes"][1]["id"], "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    job = {"jobKey": "first", "name": "First", "teamIds": [found["teams"]["nodes"][0]["id"]], "config": config}
    assert acme.ask(SHARE, input=job)["createJob"]["userErrors"] == []

    code, shown, _ = acme.apply({**document, "teams": document["teams"][1:], "clusters": []}, "--prune")

    assert code == 1
    assert "! cluster prod  refused\n" in shown
    assert "- cluster old  deleted\n" in shown
    assert "! team data  refused\n" in shown


def test_ctrl_c_half_way_says_what_was_applied(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited, done_shown(lambda: "+ member bob@acme.example  created"):
        raise KeyboardInterrupt

    shown, told = capsys.readouterr()
    assert exited.value.code == 1
    assert shown == "+ member bob@acme.example  created\n"
    assert told.startswith("Stopped: ")


def test_a_failure_half_way_says_what_was_applied(acme: Organization) -> None:
    """The server refuses the body of the last request, which isn't sent in a dry run, because its team is new."""
    queries = [{"name": "late", "team": "data", "sql": "x" * 8000}]

    code, shown, told = acme.apply(of(acme, savedQueries=queries))

    assert code == 1
    assert "+ member bob@acme.example  created\n" in shown
    assert "late" not in shown
    assert "Stopped: " in told
    assert [each["name"] for each in acme.exported()["teams"]] == ["data", "ops"]
    assert acme.apply(of(acme))[1].splitlines()[-1] == "2 created, 1 changed, 7 unchanged, 0 refused, 0 deleted."


def test_the_owner_of_the_token_is_changed_last(acme: Organization) -> None:
    document = change(of(acme), "members", 0, organizationRole="MEMBER")
    document = change(document, "members", 1, organizationRole="ADMIN")

    applied = acme.apply(document)

    assert applied[0] == 0, applied
    last = applied[1][applied[1].index("+ saved query orders") :]
    assert "    ~ organizationRole: ADMIN → MEMBER\n" in last


def test_what_is_exported_makes_an_equal_organization(
    acme: Organization, server: tuple[Serving, str], tmp_path: Path
) -> None:
    document = change(of(acme), "members", 1, externalId="00u1", managedBy="okta")
    acme.apply(document)
    other = Organization(server, tmp_path, f"other-{tmp_path.name}")
    exported = acme.exported()
    moved = {**exported, "organization": f"other-{tmp_path.name}"}

    assert acme.apply(exported, "--prune")[:2] == (0, "0 created, 0 changed, 9 unchanged, 0 refused, 0 deleted.\n")
    assert other.apply(moved)[0] == 0
    assert other.exported() == moved
    assert "mst_" not in text_of(exported)


def test_export_keeps_a_file_that_means_the_same(acme: Organization, tmp_path: Path) -> None:
    acme.apply(of(acme))
    path = tmp_path / "new.yaml"

    first = invoke("export", str(path), **acme.environment)
    path.write_text("# Ours.\n" + path.read_text("utf-8"), "utf-8")
    same = path.read_bytes()
    invoke("export", str(path), **acme.environment)
    assert path.read_bytes() == same
    acme.apply(change(of(acme), "members", 1, name="Robert"))
    invoke("export", str(path), **acme.environment)

    assert first.stdout.startswith("Exported the organization acme")
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=.organization.schema.json\n")
    assert (tmp_path / ".organization.schema.json").read_text("utf-8") == invoke("export", "--schema").stdout


def test_a_file_of_another_organization_is_overwritten_only_by_force(acme: Organization) -> None:
    text = text_of({"organization": "other", "teams": [{"name": "data"}]})
    acme.path.write_text(text, "utf-8")

    refused = invoke("export", str(acme.path), **acme.environment)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: {acme.path} belongs to the organization other, and the token to acme-")
    assert [each.name for each in acme.path.parent.iterdir()] == [acme.path.name]
    assert acme.path.read_text("utf-8") == text
    assert invoke("export", "--force", str(acme.path), **acme.environment).returncode == 0
    assert yaml.safe_load(acme.path.read_text("utf-8")) == acme.exported()
    assert invoke("export", str(acme.path), **acme.environment).returncode == 0


def test_a_file_that_can_not_be_written_is_one_line(acme: Organization, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (("export", "missing/acme.yaml"), ("export", "file/acme.yaml"), ("jobs", "export", "file/jobs")):
        done = invoke(*words[:-1], str(tmp_path / words[-1]), **acme.environment)

        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(rf"Error: {tmp_path}/\S+: (No such file or directory|Not a directory)\n", done.stderr)


def test_more_objects_and_roles_than_a_page_are_compared(acme: Organization) -> None:
    names = [f"team-{number:03}" for number in range(110)]
    roles = [{"team": name, "role": "VIEWER"} for name in names]
    document = {"teams": [{"name": name} for name in names], "serviceAccounts": [{"name": "worker", "teams": roles}]}

    applied = acme.apply(document)
    again = acme.apply(document, "--prune")

    assert applied[1].endswith("\n221 created, 0 changed, 0 unchanged, 0 refused, 0 deleted.\n")
    assert again[:2] == (0, "0 created, 0 changed, 111 unchanged, 0 refused, 0 deleted.\n")
    assert acme.exported()["serviceAccounts"][0]["teams"] == roles


def test_a_file_of_another_organization_is_refused(acme: Organization) -> None:
    code, shown, told = acme.apply({**ACME, "organization": "other"})

    assert (code, shown) == (1, "")
    assert "acme.yaml is for the organization other, but the token is of acme" in told


def test_a_caller_without_the_scope_is_refused(acme: Organization) -> None:
    made = acme.ask('mutation { createAccessToken(input: {name: "plain", scopes: [READ, WRITE]}) { secret } }')
    document = of(acme)
    acme.environment["MAINSHEET_TOKEN"] = made["createAccessToken"]["secret"]

    code, shown, _ = acme.apply(document)

    assert code == 1
    assert "! team data  refused\n" in shown
    assert "0 created, 0 changed, 0 unchanged" in shown


FAULTY: Mapping[str, tuple[str, Any]] = {
    "no document": ("", []),
    "unknown section": ("Expected value of type", {"queues": []}),
    "unknown field": ("teams.0: ", {"teams": [{"name": "data", "color": "red"}]}),
    "name too long": ("teams.0.name", {"teams": [{"name": "x" * 256}]}),
    "no address": ("members.0.email", {"members": [{"email": "ada", "name": "Ada"}]}),
    "same name twice": ("teams.1.name", {"teams": [{"name": "data"}, {"name": "data "}]}),
    "same external id": (
        "teams.1.externalId",
        {"teams": [{"name": "a", "externalId": "T"}, {"name": "b", "externalId": "T"}]},
    ),
    "same team twice": (
        "members.0.teams",
        {"members": [{"email": "a@b.c", "name": "A", "teams": [{"team": "t", "role": "VIEWER"}] * 2}]},
    ),
    "one team": ("teams: Must be a list, even of one value.", {"teams": {"name": "data"}}),
    "one role": (
        "members.0.teams: Must be a list",
        {"members": [{"email": "a@b.c", "name": "A", "teams": {"team": "t", "role": "ADMIN"}}]},
    ),
    "half a character": ("teams.0.name: Must not contain", {"teams": [{"name": "\ud800"}]}),
    "no role": ("members.0.teams", {"members": [{"email": "a@b.c", "name": "A", "teams": [{"team": "t"}]}]}),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_file_is_not_sent(name: str, tmp_path: Path) -> None:
    where, document = FAULTY[name]
    path = tmp_path / "acme.yaml"
    path.write_text(text_of(document), "utf-8")

    done = invoke("apply", str(path), MAINSHEET_URL="http://nowhere.invalid", MAINSHEET_TOKEN="mst_x")

    assert done.returncode == 1
    assert f"{path}: {where}" in done.stderr
    assert "Nothing was sent." in done.stderr


@pytest.mark.parametrize("words", [("apply", "missing.yaml"), ("export", "--nonsense"), ("members", "export")])
def test_usage_errors_exit_with_1(words: tuple[str, ...]) -> None:
    assert invoke(*words, MAINSHEET_URL="http://nowhere.invalid", MAINSHEET_TOKEN="mst_x").returncode == 1


def test_without_a_terminal_yes_is_needed(acme: Organization) -> None:
    acme.path.write_text(text_of(of(acme)), "utf-8")

    done = invoke("apply", str(acme.path), **acme.environment)

    assert done.returncode == 1
    assert "There is no terminal to ask for confirmation: use --yes." in done.stderr
    assert acme.exported()["teams"] == []


def test_a_new_object_may_have_the_key_that_a_renamed_one_gives_up(acme: Organization) -> None:
    roles = [{"team": "data", "role": "ADMIN"}]
    document = change(change(of(acme), "teams", 0, externalId="T1"), "members", 1, externalId="M1")
    document = {**change(document, "members", 0, teams=[]), "savedQueries": []}
    acme.apply(change({**document, "serviceAccounts": []}, "members", 1, teams=[]))
    renamed = change(document, "teams", 0, name="analytics")
    renamed = change(renamed, "members", 1, email="robert@acme.example", teams=[])
    renamed["teams"] = [{"name": "data"}, *renamed["teams"]]
    renamed["members"] = [{"email": "bob@acme.example", "name": "New", "teams": roles}, *renamed["members"]]
    renamed |= {"savedQueries": ACME["savedQueries"]}

    applied = acme.apply(renamed)

    assert applied[0] == 0, applied
    assert acme.apply(renamed, "--prune", "--dry-run")[0] == 0
    exported = acme.exported()
    members = {each["email"]: each for each in exported["members"]}
    assert members["bob@acme.example"]["teams"] == roles
    assert members["robert@acme.example"] == {
        "email": "robert@acme.example",
        "name": "Bob",
        "status": "ACTIVE",
        "externalId": "M1",
        "teams": [],
    }


def test_a_name_that_no_object_will_have_is_no_team(acme: Organization) -> None:
    document = {"teams": [{"name": "data", "externalId": "T1"}], "members": []}
    acme.apply(document)
    member = {"email": "bob@acme.example", "name": "Bob", "teams": [{"team": "data", "role": "ADMIN"}]}

    code, shown, _ = acme.apply({"teams": [{"name": "analytics", "externalId": "T1"}], "members": [member]})

    assert code == 1
    assert f"! member bob@acme.example in data  refused\n    {acme.path}: team: There is no team 'data'.\n" in shown
    assert acme.exported()["members"][1]["teams"] == []


def test_objects_may_give_up_their_keys_one_after_the_other(acme: Organization) -> None:
    names = ("a", "b", "c")
    acme.apply({"teams": [{"name": name, "externalId": f"T-{name}"} for name in names]})
    moved = {"teams": [{"name": new, "externalId": f"T-{name}"} for name, new in zip(names, "bcd", strict=True)]}

    applied = acme.apply(moved)

    assert applied[0] == 0, applied
    assert [(each["name"], each["externalId"]) for each in acme.exported()["teams"]] == [
        ("b", "T-a"),
        ("c", "T-b"),
        ("d", "T-c"),
    ]


def test_prune_does_not_delete_the_object_that_gets_the_key_of_another(acme: Organization) -> None:
    acme.apply({"teams": [{"name": "a", "externalId": "T1"}, {"name": "b"}]})
    before = acme.ask(IDS)["teams"]["nodes"][0]
    renamed = {"teams": [{"name": "b", "externalId": "T1"}]}

    first = acme.apply(renamed, "--prune")
    second = acme.apply(renamed, "--prune")

    assert (first[0], second[0]) == (1, 0)  # the name is free only after the other object is deleted
    assert acme.ask(IDS)["teams"]["nodes"] == [{**before, "name": "b"}]


def test_nobody_joins_a_renamed_team_that_another_system_manages(acme: Organization) -> None:
    managed = {"externalId": "T1", "managedBy": "okta"}
    acme.apply({"teams": [{"name": "data", **managed}]})
    member = {"email": "bob@acme.example", "name": "Bob", "teams": [{"team": "analytics", "role": "VIEWER"}]}

    code, shown, _ = acme.apply({"teams": [{"name": "analytics", "externalId": "T1"}], "members": [member]})

    assert code == 1
    assert "! team analytics  refused\n" in shown
    assert "! member bob@acme.example in analytics  refused\n" in shown


def test_an_actor_may_be_disabled_and_changed_at_once(acme: Organization) -> None:
    document = of(acme)
    acme.apply(document)
    changed = change(document, "members", 1, name="Robert", status="DISABLED", teams=[])
    changed = change(changed, "members", 2, name="Eva", status="ACTIVE")
    changed = change(changed, "serviceAccounts", 0, organizationRole="AUDITOR", status="DISABLED")

    applied = acme.apply(changed)

    assert applied[0] == 0, applied
    assert acme.apply(changed, "--dry-run")[0] == 0


def test_export_keeps_a_file_that_omits_what_stays_as_it_is(acme: Organization) -> None:
    document = change(of(acme, clusters=[], savedQueries=[]), "members", 1, externalId="M1", managedBy="okta")
    acme.apply(document)
    written = change(document, "members", 1, teams=[{"team": "data", "role": "CONTRIBUTOR"}])
    del (
        written["clusters"],
        written["savedQueries"],
        written["members"][1]["externalId"],
        written["members"][0]["teams"],
    )
    acme.path.write_text(f"# Ours.\n{text_of(written)}", "utf-8")

    invoke("export", str(acme.path), **acme.environment)

    assert acme.path.read_text("utf-8") == f"# Ours.\n{text_of(written)}"


@pytest.mark.parametrize(
    "changed",
    [{"externalId": None}, {"managedBy": "scim"}, {"status": "DISABLED"}, {"teams": []}, {"organizationRole": "ADMIN"}],
)
def test_a_file_that_gives_another_value_means_something_else(changed: dict[str, Any]) -> None:
    member = {"email": "ada@acme.example", "name": "Ada", "teams": [{"team": "data", "role": "ADMIN"}]}
    exported = {"members": [{**member, "externalId": "M1", "managedBy": "okta", "status": "ACTIVE"}], "teams": []}

    assert is_same({"members": [{**member, "organizationRole": "MEMBER"}]}, exported)
    assert not is_same({"members": [{**member, **changed}]}, exported)
    assert not is_same({"members": [member], "teams": [{"name": "data"}]}, exported)


def test_export_writes_an_empty_file(acme: Organization) -> None:
    acme.path.write_text("", "utf-8")

    done = invoke("export", str(acme.path), **acme.environment)

    assert (done.returncode, done.stderr) == (0, "")
    assert "organization: " in acme.path.read_text("utf-8")


def test_export_refuses_what_is_no_regular_file(acme: Organization, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    said = refused(invoke("export", str(tmp_path / "pipe"), **acme.environment))

    assert said == f"{tmp_path}/pipe isn't a regular file: choose another name, or none to print it"


@pytest.mark.parametrize("text", ["services: {}\n", "members: [\n", "Dear diary\n"])
def test_export_refuses_to_overwrite_a_file_with_faults(acme: Organization, text: str) -> None:
    acme.path.write_text(text, "utf-8")

    done = invoke("export", str(acme.path), **acme.environment)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {acme.path} isn't the file of an organization, or has faults: ")
    assert acme.path.read_text("utf-8") == text
    assert not (acme.path.parent / ".organization.schema.json").exists()
