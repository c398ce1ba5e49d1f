"""`mainsheet jobs` exports, compares and applies job files against a real server."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mainsheet.server.job_files import files, plan
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.yaml_document import parsed
from tests.server.commands import Serving, invoke, serving

ADMIN, LAGOON, VIEWER = "admin@harbor.example", "admin@lagoon.example", "viewer@harbor.example"
FIND = "query ($key: String!) { jobs(filter: {keys: [$key]}) { nodes { id } } }"
SHARE = "mutation ($input: AddTeamsToJobInput!) { addTeamsToJob(input: $input) { userErrors { message } } }"
RUNS_TOKEN = 'mutation { createAccessToken(input: {name: "runs", scopes: [RUNS]}) { secret } }'
PUBLIC_JOBS = Path(__file__).parent / "public_jobs"
SHORE: Mapping[str, Any] = {
    "jobKey": "tides",
    "name": "Tides",
    "teams": ["survey"],
    "config": {"cluster": "shore", "source": {"sqlSnapshot": {"sql": "SELECT 1;\nSELECT 2;\n"}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    url = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'demo.sqlite3'}"
    with serving("--demo", "--database-url", url) as made:
        yield made


class Jobs:
    """Runs the command with the token of one demo member."""

    def __init__(self, server: Serving, member: str) -> None:
        self._environment = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": server.tokens[member]}

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        done = invoke("jobs", *map(str, arguments), **self._environment)
        return done.returncode, done.stdout, done.stderr


def put(directory: Path, **changes: Any) -> None:
    document = {**SHORE, **changes}
    (directory / f"{document['jobKey']}.yaml").write_text(files.text_of(document), "utf-8")


def test_what_is_exported_and_applied_again_is_unchanged(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, ADMIN)

    exported = jobs("export", tmp_path)
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    compared = jobs("diff", tmp_path)
    applied = jobs("apply", "--yes", tmp_path)
    again = jobs("export", tmp_path)

    count = len([each for each in before if each.suffix == ".yaml"])
    assert count > 20
    assert (exported[0], exported[1]) == (0, f"Exported {count} jobs to {tmp_path}.\n")
    summary = f"0 to create, 0 to change, {count} unchanged, 0 refused.\n"
    assert (compared[0], compared[1]) == (0, summary), compared
    assert applied[:2] == (0, f"0 created, 0 changed, {count} unchanged, 0 refused.\n"), applied
    assert again[0] == 0
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_file_is_compared_confirmed_and_applied(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, LAGOON)
    jobs("export", tmp_path)
    path = next(each for each in sorted(tmp_path.glob("*.yaml")) if "maxRetries" not in each.read_text("utf-8"))
    document = yaml.safe_load(path.read_text("utf-8"))
    document["config"]["maxRetries"] = 7
    path.write_text(f"# Seven: the sea is rough.\n{files.text_of(document)}", "utf-8")
    put(tmp_path, jobKey="new-tides", teams=document["teams"], config=document["config"])
    unasked = jobs("apply", tmp_path)
    compared = jobs("diff", tmp_path)
    applied = jobs("apply", "--yes", "--message", "Rough sea", tmp_path)
    again = jobs("apply", tmp_path)

    assert unasked[0] == 1
    assert "There is no terminal to ask for confirmation: use --yes." in unasked[2]
    assert compared[0] == 2
    assert "+ new-tides  to create" in compared[1]
    assert re.search(rf"~ {document['jobKey']}  to change\n    ~ maxRetries: 0 → 7\n", compared[1])
    assert applied[0] == 0
    assert re.search(r"^1 created, 1 changed, \d+ unchanged, 0 refused\.$", applied[1], re.MULTILINE)
    assert (again[0], again[2]) == (0, "")

    jobs("export", tmp_path)
    assert path.read_text("utf-8").startswith("# Seven: the sea is rough.\n")


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_refused_file_exits_with_1_and_says_where(server: Serving, tmp_path: Path, command: str) -> None:
    put(tmp_path, teams=["nobody"])

    code, shown, _ = Jobs(server, LAGOON)(command, tmp_path)

    assert code == 1
    assert "! tides  refused" in shown
    assert f"{tmp_path / 'tides.yaml'}: teams.0: There is no team 'nobody'." in shown
    assert f"{tmp_path / 'tides.yaml'}: config.cluster: " not in shown


def test_formats_for_programs_and_pull_requests(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, LAGOON)
    put(tmp_path, teams=["nobody"])

    structured = json.loads(jobs("diff", "--format", "json", tmp_path)[1])
    markdown = jobs("diff", "--format", "markdown", tmp_path)[1]

    fault = {"code": "TEAM_NOT_FOUND", "path": "teams.0", "message": "There is no team 'nobody'."}
    assert structured == [
        {
            "jobKey": "tides",
            "file": str(tmp_path / "tides.yaml"),
            "outcome": "REFUSED",
            "changes": [],
            "userErrors": [fault],
        }
    ]
    assert "**Jobs: 0 to create, 0 to change, 0 unchanged, 1 refused.**" in markdown
    assert "- `teams.0`: There is no team 'nobody'." in markdown


def test_more_jobs_than_a_batch_may_depend_on_each_other(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, ADMIN)
    jobs("export", tmp_path / "all")
    template = yaml.safe_load(next((tmp_path / "all").glob("*.yaml")).read_text("utf-8"))
    config = {"cluster": template["config"]["cluster"], "source": SHORE["config"]["source"]}
    for number in range(130):
        waits = [{"jobKey": f"chain-{number - 1}"}] if number else []
        put(
            tmp_path,
            jobKey=f"chain-{number}",
            teams=template["teams"],
            config={**config, **({"dependencies": waits} if waits else {})},
        )
    for each in (tmp_path / "all").iterdir():
        each.unlink()

    compared = jobs("diff", tmp_path)
    applied = jobs("apply", "--yes", tmp_path)
    again = jobs("diff", tmp_path)

    assert compared[0] == 2
    assert (compared[0], compared[1].splitlines()[-1]) == (2, "130 to create, 0 to change, 0 unchanged, 0 refused.")
    assert "Compared 100 of 130 jobs." in compared[2]
    assert (applied[0], applied[1].splitlines()[-1]) == (0, "130 created, 0 changed, 0 unchanged, 0 refused.")
    assert (again[0], again[1]) == (0, "0 to create, 0 to change, 130 unchanged, 0 refused.\n")


HAND_WRITTEN = """\
# We like comments.
teams: [survey, anglers]
tags: []
jobKey: tides
name: "  Tides "
description: null
config:
  source: {sqlSnapshot: {sql: SELECT 1}}
  cluster: shore
  maxRetries: 0
  compute: {executionMode: STANDALONE}
  schedule: {timezone: UTC, cron: "@daily", concurrencyPolicy: SKIP, maxConcurrentRuns: null}
  environment: []
  dependencies: [{jobKey: moon, condition: ON_SUCCESS}]
"""
EXPORTED: Mapping[str, Any] = {
    "jobKey": "tides",
    "name": "Tides",
    "status": "PAUSED",
    "teams": ["anglers", "survey"],
    "config": {
        "cluster": "shore",
        "source": {"sqlSnapshot": {"sql": "SELECT 1"}},
        "schedule": {"cron": "@daily"},
        "dependencies": [{"jobKey": "moon"}],
    },
}


@pytest.mark.parametrize(
    ("written", "is_kept"),
    [
        (HAND_WRITTEN, True),
        (HAND_WRITTEN + "status: PAUSED\n", True),
        (HAND_WRITTEN + "status: ACTIVE\n", False),
        (HAND_WRITTEN.replace("SELECT 1", "SELECT 2"), False),
        (HAND_WRITTEN.replace("condition: ON_SUCCESS", "condition: ON_FAILURE"), False),
        (HAND_WRITTEN.replace("survey, ", ""), False),
    ],
)
def test_a_file_that_means_the_same_is_kept(tmp_path: Path, written: str, is_kept: bool) -> None:
    path = tmp_path / "tides.yaml"
    path.write_text(written, "utf-8")

    files.write(path, EXPORTED, "")

    assert path.read_text("utf-8") == (written if is_kept else files.text_of(EXPORTED))


def test_a_job_stays_in_the_file_that_has_it(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, LAGOON)
    jobs("export", tmp_path)
    first, second = sorted(tmp_path.glob("*.yaml"))[:2]
    (tmp_path / "below").mkdir()
    kept = first.rename(tmp_path / "below" / "mine.yml")
    faulty = second.rename(tmp_path / "below" / second.name)
    kept.write_text(f"# Mine.\n{kept.read_text('utf-8')}", "utf-8")
    text = faulty.read_text("utf-8")
    faulty.write_text(f"{text}nonsense: 1\n", "utf-8")

    exported = jobs("export", tmp_path)

    assert exported[0] == 0, exported
    assert not first.exists()
    assert not second.exists()
    assert kept.read_text("utf-8").startswith("# Mine.\n")
    assert faulty.read_text("utf-8") == text


@pytest.mark.parametrize("job_key", ["../../x", "/x", "a/b", "", "A", "a\x00", "x" * 101])
def test_a_key_from_the_server_never_leads_elsewhere(tmp_path: Path, job_key: str) -> None:
    with pytest.raises(files.BadFiles, match=r"The server sent a job with the key .*, which isn't one\."):
        files.new_path(tmp_path, job_key)


@pytest.mark.parametrize("text", ["jobKey: tides\n", "jobKey: [\n", "services: {}\n"])
def test_a_file_that_does_not_have_the_job_is_not_overwritten(server: Serving, tmp_path: Path, text: str) -> None:
    jobs = Jobs(server, LAGOON)
    jobs("export", tmp_path)
    path = next(tmp_path.glob("*.yaml"))
    path.write_text(text, "utf-8")

    exported = jobs("export", tmp_path)

    assert (exported[0], exported[2]) == (1, f"Error: {path} isn't the file of the job {path.stem}. Rename it.\n")
    assert path.read_text("utf-8") == text


async def _share_with_a_crowd(server: Serving, job_key: str, count: int) -> None:
    creation = "\n".join(
        f'c{each}: createTeam(input: {{name: "crowd-{each:03}"}}) {{ team {{ id }} }}' for each in range(count)
    )
    async with Remote(server.url, server.tokens[ADMIN]) as remote:
        teams = [each["team"]["id"] for each in (await remote.send(f"mutation {{ {creation} }}")).values()]
        (job,) = (await remote.send(FIND, key=job_key))["jobs"]["nodes"]
        for part in (teams[:100], teams[100:]):
            await remote.send(SHARE, input={"jobId": job["id"], "teamIds": part})


def test_all_teams_of_a_job_are_exported(tmp_path: Path) -> None:
    with serving("--demo", "--database-url", f"sqlite:///{tmp_path / 'crowded.sqlite3'}") as crowded:
        asyncio.run(_share_with_a_crowd(crowded, "orders-ingest", 101))
        Jobs(crowded, ADMIN)("export", tmp_path / "jobs")

    document = yaml.safe_load((tmp_path / "jobs" / "orders-ingest.yaml").read_text("utf-8"))
    exported = [each for each in document["teams"] if each.startswith("crowd-")]
    assert exported == [f"crowd-{each:03}" for each in range(101)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "BATCH_VALUES", 1)  # a batch for each file


def test_a_changed_job_that_needs_a_new_one_shows_its_differences(server: Serving, tmp_path: Path) -> None:
    _expect_differences(Jobs(server, LAGOON), tmp_path, "needs-one")


@pytest.mark.usefixtures("small_batches")
def test_an_existing_job_that_needs_one_of_an_earlier_batch_is_changed(server: Serving, tmp_path: Path) -> None:
    _expect_differences(Jobs(server, LAGOON), tmp_path, "needs-many")


def _expect_differences(jobs: Jobs, path: Path, key: str) -> None:
    jobs("export", path / "all")
    example = next(iter(files.read(path / "all"))).document
    config = {"cluster": example["config"]["cluster"], "source": SHORE["config"]["source"]}
    for name in ("first", "second"):
        put(path, jobKey=f"{key}-{name}", teams=example["teams"], config=config)
    for each in (path / "all").iterdir():
        each.unlink()
    created = jobs("apply", "--yes", path)
    on_new = [{"jobKey": f"{key}-new"}, {"jobKey": f"{key}-newer", "condition": "ON_FAILURE"}]
    put(path, jobKey=f"{key}-first", teams=example["teams"], config={**config, "dependencies": on_new, "maxRetries": 1})
    put(path, jobKey=f"{key}-second", teams=example["teams"], config={**config, "dependencies": on_new[:1]})
    missing = {"dependencies": [*on_new, {"jobKey": f"{key}-nowhere"}]}
    put(path, jobKey=f"{key}-third", teams=example["teams"], config={**config, **missing})
    put(path, jobKey=f"{key}-new", teams=example["teams"], config=config)
    put(path, jobKey=f"{key}-newer", teams=example["teams"], config=config)

    steps = json.loads(jobs("diff", "--format", "json", path)[1])
    jobs("apply", "--yes", path)
    again = {each["jobKey"]: each["outcome"] for each in json.loads(jobs("diff", "--format", "json", path)[1])}

    assert created[0] == 0, created
    shown = {each["jobKey"].removeprefix(f"{key}-"): each for each in steps}
    assert {name: each["outcome"] for name, each in shown.items()} == {
        "new": "CREATED",
        "newer": "CREATED",
        "first": "CHANGED",
        "second": "CHANGED",
        "third": "REFUSED",
    }
    first = {(each["path"], each["before"], each["after"]) for each in shown["first"]["changes"]}
    assert first == {
        ("maxRetries", "0", "1"),
        (f"dependencies.{key}-new", None, f"{key}-new"),
        (f"dependencies.{key}-new.condition", None, "ON_SUCCESS"),
        (f"dependencies.{key}-newer", None, f"{key}-newer"),
        (f"dependencies.{key}-newer.condition", None, "ON_FAILURE"),
    }
    assert len(shown["second"]["changes"]) == 2
    assert [each["path"] for each in shown["third"]["userErrors"]] == ["config.dependencies.2.jobKey"]
    assert again == dict.fromkeys((f"{key}-{name}" for name in ("new", "newer", "first", "second")), "UNCHANGED") | {
        f"{key}-third": "REFUSED"
    }


TWO_SOURCES = {"cluster": "c", "source": {"savedQueries": [], "pythonFile": {"path": "a"}}}
FAULTY: dict[str, tuple[str, str]] = {
    "an unknown field": ("jobKye: a\n", "not to include unknown field 'jobKye'"),
    "a wrong type": (files.text_of({**SHORE, "name": 5}), "name: String cannot represent a non string value: 5"),
    "no mapping": ("- a\n", "Expected value of type 'JobDocumentInput' to be an object"),
    "no YAML": ("a: [", "expected the node content"),
    "a key twice": ("name: a\nname: b\n", "'name' is there twice"),
    "a number as a key": ("1: a\n", "the key 1 isn't a text"),
    "a boolean as a key": ("config: {yes: a}\n", "the key True isn't a text"),
    "no boolean": ("status: !!bool foo", "the value isn't a !!bool"),
    "no number": ('name: !!int ""', "the value isn't a !!int"),
    "no time": ("name: !!timestamp foo", "the value isn't a !!timestamp"),
    "no date": ("name: !!timestamp 2026-13-01", "the value isn't a !!timestamp"),
    "no object": ("config: !!map foo", "expected a mapping node"),
    "a large number": (f"name: {'9' * 5000}", "the value isn't a !!int"),
    "a list as a key": ("? [a]\n: b\n", "found unhashable key"),
    "two sources": (
        files.text_of({**SHORE, "config": TWO_SOURCES}),
        "config.source: Within OneOf Input Object type",
    ),
    "one tag": (files.text_of({**SHORE, "tags": "finance"}), "tags: Must be a list, even of one value."),
    "one dependency": (
        files.text_of({**SHORE, "config": {**SHORE["config"], "dependencies": {"jobKey": "moon"}}}),
        "config.dependencies: Must be a list",
    ),
    "a set": ("tags: !!set {a, b}\n" + files.text_of(SHORE), "tags: Must be a list"),
    "half a character": ('tags: ["\\ud800"]\n' + files.text_of(SHORE), "tags.0: Must not contain the character U+D800"),
    "bytes": ("\udcff", "can't decode byte"),
    "itself": ("&a [*a]", "Expected value of type 'JobDocumentInput' to be an object"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_bad_file_is_named_and_nothing_is_sent(tmp_path: Path, case: str) -> None:
    content, message = FAULTY[case]
    (tmp_path / "bad.yaml").write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "notes.txt").write_text("no job")

    done = invoke("jobs", "diff", "--url", "http://127.0.0.1:1", "--token", "t", str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert f"{tmp_path / 'bad.yaml'}: " in done.stderr
    problems = len(done.stderr.splitlines()) - 1
    assert f"Error: {problems} {'fault' if problems == 1 else 'faults'} in {tmp_path}. Nothing was sent." in done.stderr


def test_hidden_folders_arent_searched(tmp_path: Path) -> None:
    folder = tmp_path / ".jobs"  # unless it is named
    for path in (folder / "team" / "tides.yaml", folder / ".github" / "workflows" / "test.yml"):
        path.parent.mkdir(parents=True)
        path.write_text("name: Test\n" if ".github" in path.parts else HAND_WRITTEN)

    assert [each.path for each in files.read(folder)] == [folder / "team" / "tides.yaml"]


@pytest.mark.parametrize("command", [["diff"], ["apply", "--yes"]])
def test_a_folder_without_jobs_is_refused(tmp_path: Path, command: list[str]) -> None:
    """In continuous integration, a wrong folder would pass."""
    (tmp_path / "notes.txt").write_text("no job")

    done = invoke("jobs", *command, "--url", "http://127.0.0.1:1", "--token", "t", str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: There is no job in {tmp_path}: no file ends in .yaml or .yml\n"


def test_an_exported_folder_may_have_no_job(tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path / 'empty.sqlite3'}", tmp_path / "jobs"
    invoke("db", "upgrade", MAINSHEET_DATABASE_URL=url)
    made = invoke("init", "--organization", "acme", "--admin", "ada@acme.example", MAINSHEET_DATABASE_URL=url)

    with serving("--database-url", url) as server:
        environment = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": made.stdout.strip()}
        exported, *compared = [
            invoke("jobs", *command, str(folder), **environment)
            for command in (["export"], ["diff"], ["apply"], ["diff", "--format", "json"])
        ]

    assert (exported.returncode, exported.stdout) == (0, f"Exported 0 jobs to {folder}.\n")
    assert [(each.returncode, each.stdout) for each in compared] == [
        (0, "0 to create, 0 to change, 0 unchanged, 0 refused.\n"),
        (0, "0 created, 0 changed, 0 unchanged, 0 refused.\n"),
        (0, "[]\n"),
    ]


def test_one_key_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml"):
        (tmp_path / name).write_text(files.text_of(SHORE), "utf-8")

    with pytest.raises(files.BadFiles, match=r"b\.yml: jobKey: .*a\.yaml has the job 'tides' too"):
        files.read(tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1", "can't be reached"),
        ("no-url", "The server's URL isn't of the form https://HOST"),
        ("ada:hunter2@localhost", "isn't of the form"),
        ("http://[::1", "isn't of the form"),
        ("http://ada:hunter2/3@localhost", "isn't of the form"),
        ("http://ada:hunter2@127.0.0.1:1", "The server's URL has a user or password."),
        ("{server}/livez", "refused the request"),
        ("{server}/mainsheet", "ends in /graphql"),
    ],
)
def test_a_server_that_does_not_answer_is_one_line(server: Serving, tmp_path: Path, url: str, message: str) -> None:
    put(tmp_path)
    root = server.url.removesuffix("/graphql")

    done = invoke("jobs", "diff", "--url", url.format(server=root), "--token", "t", str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["diff"],
        ["diff", "nowhere"],
        ["diff", "--url", "http://127.0.0.1:1", "."],
        ["diff", "--format", "nonsense", "."],
        ["apply", "--nonsense"],
        ["export"],
    ],
)
def test_wrong_usage_does_not_exit_as_changes_do(arguments: list[str]) -> None:
    done = invoke("jobs", *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert "Usage: mainsheet jobs" in done.stderr


@pytest.mark.parametrize(
    ("token", "message"),
    [("mst_wrong", "refused the request"), ("mst_wrong\r", "The token has a character that no token has")],
)
def test_a_wrong_token_is_one_line(server: Serving, tmp_path: Path, token: str, message: str) -> None:
    put(tmp_path)

    done = invoke("jobs", "diff", "--url", server.url, "--token", token, str(tmp_path))

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert message in done.stderr


@pytest.mark.parametrize("command", [["diff"], ["apply", "--yes"]])
def test_a_token_without_a_scope_is_one_line(server: Serving, tmp_path: Path, command: list[str]) -> None:
    put(tmp_path)

    async def secret() -> str:
        async with Remote(server.url, server.tokens[ADMIN]) as remote:
            made: str = (await remote.send(RUNS_TOKEN))["createAccessToken"]["secret"]
            return made

    done = invoke("jobs", *command, "--url", server.url, "--token", asyncio.run(secret()), str(tmp_path))

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "lacks the scope WRITE" in done.stderr


ODD = ["yes", "1.10", "2026-01-01", "12:30", "null", "~", "", " a", "a\r\nb\n", "a \n", "\ufeffa", "a\x85\u2028b"]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@settings(max_examples=300)
@given(texts | st.sampled_from(ODD))
def test_each_text_survives_a_file(text: str) -> None:
    document = {**SHORE, "description": text, "tags": [text]}

    assert parsed(files.text_of(document)) == document


def test_the_json_schema_has_the_fields_of_a_document() -> None:
    made = json.loads(invoke("jobs", "schema").stdout)
    document = made["$defs"]["JobDocumentInput"]

    assert made["$ref"] == "#/$defs/JobDocumentInput"
    assert set(document["required"]) == {"jobKey", "name", "teams", "config"}
    assert document["additionalProperties"] is False
    assert made["$defs"]["JobScheduleInput"]["properties"]["timezone"]["default"] == "UTC"
    assert made["$defs"]["SourceDocumentInput"]["maxProperties"] == 1


def test_a_folder_of_another_organization_is_overwritten_only_by_force(server: Serving, tmp_path: Path) -> None:
    harbor, lagoon = Jobs(server, ADMIN), Jobs(server, LAGOON)
    assert harbor("export", tmp_path)[0] == 0
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}

    refused = lagoon("export", tmp_path)
    assert refused[:2] == (1, "")
    assert refused[2] == (
        f"Error: {tmp_path} belongs to the organization harbor, and the token to lagoon. Nothing was written."
        " Use --force to overwrite it.\n"
    )
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before

    assert lagoon("export", "--force", tmp_path)[0] == 0
    assert lagoon("export", tmp_path)[0] == 0
    assert harbor("export", tmp_path)[0] == 1


def test_jobs_of_one_server_are_applied_to_another(server: Serving, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
        other = stack.enter_context(serving("--demo", "--database-url", url))
        source, target = Jobs(server, ADMIN), Jobs(other, ADMIN)
        source("export", tmp_path / "jobs")
        originals = {f"copy-{each.job_key}": _copy(each.document) for each in files.read(tmp_path / "jobs")}
        (tmp_path / "new").mkdir()
        for job_key, document in originals.items():
            files.write(tmp_path / "new" / f"{job_key}.yaml", document, "")

        applied = json.loads(target("apply", "--yes", "--format", "json", tmp_path / "new")[1])
        target("export", tmp_path / "copies")

    refused = [each for each in applied if each["outcome"] != "CREATED"]
    # The demo has jobs on clusters that were destroyed since.
    assert {fault["code"] for each in refused for fault in each["userErrors"]} == {"CLUSTER_NOT_ACTIVE"}
    made = originals.keys() - {each["jobKey"] for each in refused}
    copies = {each.job_key: each.document for each in files.read(tmp_path / "copies")}
    assert len(made) > 20
    assert {key: copies[key] for key in made} == {key: originals[key] for key in made}


def _copy(document: Mapping[str, Any]) -> dict[str, Any]:
    config = dict(document["config"])
    if waits := config.get("dependencies"):
        config["dependencies"] = [{**each, "jobKey": f"copy-{each['jobKey']}"} for each in waits]
    return {**document, "jobKey": f"copy-{document['jobKey']}", "config": config}


def test_published_jobs_of_others_are_applied_exported_and_unchanged(server: Serving, tmp_path: Path) -> None:
    jobs = Jobs(server, ADMIN)
    given, exported = tmp_path / "given", tmp_path / "exported"
    shutil.copytree(PUBLIC_JOBS, given)
    texts = {each: each.read_text("utf-8") for each in given.iterdir()}

    applied = jobs("apply", "--yes", given)
    jobs("export", given)
    again = jobs("diff", given)
    jobs("export", exported)
    for each in exported.glob("*.yaml"):
        if given / each.name not in texts:
            each.unlink()
    anew = jobs("diff", exported)

    created = "22 created, 0 changed, 0 unchanged, 0 refused."
    assert (applied[0], applied[1].splitlines()[-1]) == (0, created), applied
    assert {each: each.read_text("utf-8") for each in texts} == texts
    assert again[0] == 0, again
    assert anew == (0, "0 to create, 0 to change, 22 unchanged, 0 refused.\n", "")
