"""The command: what it prints, where, and with which exit code.

Most tests call it in this process. `serve` configures the logging of its process, so it always gets one of its own.
"""

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from mainsheet.models.database import Database
from mainsheet.models.revisions import compatible_from, head
from mainsheet.models.saved_query import SavedQuery
from mainsheet.server.settings import Settings
from testbed.databases import execute, make_newer, opened
from testbed.world import World
from tests.server.commands import MAINSHEET, PATIENCE, clean, expect_no_traceback, invoke, mainsheet, serving

SDL = Path(__file__).parents[2] / "schema/schema.graphql"


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """Assert that the command failed with one line on stderr and no other output."""
    assert result.returncode != 0
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: "), result.stderr
    assert all(line.startswith(("Usage: ", "Try ")) or not line for line in lines[:-1]), result.stderr
    return lines[-1].removeprefix("Error: ")


@pytest.fixture
def url(database_url: str) -> str:
    """A migrated database, as the command takes it."""
    return database_url


def test_a_new_database_is_migrated_checked_and_seeded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    assert "has no tables" in refused(_touched(tmp_path, url))

    assert invoke("db", "upgrade", "--database-url", url).returncode == 0
    assert invoke("db", "upgrade", "--database-url", url).returncode == 0  # nothing is left to do
    assert invoke("db", "check", "--database-url", url).stdout == "The database is up to date.\n"
    seeded = invoke("db", "seed", "--jobs", "7", "--seed", "3", "--database-url", url)

    assert (seeded.returncode, seeded.stdout) == (0, "")
    with sqlite3.connect(tmp_path / "new.sqlite3") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM organization")}
        (jobs,) = connection.execute("SELECT count(*) FROM job").fetchone()
    assert names == {"harbor", "lagoon"}
    assert jobs > 30


def _touched(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    (folder / "new.sqlite3").touch()
    return invoke("db", "check", "--database-url", url)


def test_the_same_seed_generates_the_same_jobs(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        url = f"sqlite:///{tmp_path}/{name}.sqlite3"
        invoke("db", "upgrade", "--database-url", url)
        assert invoke("db", "seed", "--jobs", "5", "--seed", "42", "--database-url", url).returncode == 0
        with sqlite3.connect(tmp_path / f"{name}.sqlite3") as connection:
            found.append(connection.execute("SELECT job_key, name FROM job ORDER BY job_key").fetchall())

    assert found[0] == found[1]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_seed_prints_how_to_continue(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    command = [MAINSHEET, "db", "seed", "--jobs", "4000", "--database-url", sqlite_url]
    with subprocess.Popen(command, env=clean({}), stderr=subprocess.PIPE, text=True) as seeding:
        while _generated(file) < 500:
            assert seeding.poll() is None
        seeding.send_signal(signal.SIGINT)
        _, said = seeding.communicate(timeout=PATIENCE)

    kept = _generated(file)
    assert seeding.returncode == 1
    assert 500 <= kept < 4000
    assert f"Stopped: {kept:,} of 4,000 generated jobs are kept; the same command with --jobs {4000 - kept} " in said
    expect_no_traceback(said)


def _generated(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        (jobs,) = connection.execute("SELECT count(*) FROM job WHERE job_key LIKE 'fleet-%'").fetchone()
    return int(jobs)


def test_concurrent_seeds_seed_once(url: str) -> None:
    command = [MAINSHEET, "db", "seed", "--database-url", url]
    both = [
        subprocess.Popen(command, env=clean({}), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    ended = [(each.wait(PATIENCE), each.communicate()) for each in both]

    assert [code for code, _ in ended] == [0, 0], ended


def test_drift_is_detected(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drifted.sqlite3"
    invoke("db", "upgrade", "--database-url", url)
    with sqlite3.connect(tmp_path / "drifted.sqlite3") as connection:
        connection.execute("ALTER TABLE job ADD COLUMN stray TEXT")

    result = invoke("db", "check", "--database-url", url)

    assert result.returncode == 1
    assert "stray" in result.stdout
    assert result.stderr.startswith("Error: The database differs from the models in 1 place")


def test_token_create_prints_only_the_token(url: str, world: World) -> None:
    environment = {"MAINSHEET_DATABASE_URL": url}
    created = mainsheet("token", "create", "--member", world.viewer.email, "--expires", "30d", **environment)

    (secret,) = created.stdout.splitlines()
    assert (created.returncode, created.stderr) == (0, "")
    assert secret.startswith("mst_")

    listed = invoke("token", "list", "--member", world.viewer.email, **environment).stdout
    assert secret not in listed
    token_id = next(word for word in listed.split() if word.startswith("AT"))

    assert invoke("token", "revoke", token_id, **environment).stdout == f"Token {token_id} is revoked.\n"
    assert "already" in invoke("token", "revoke", token_id, **environment).stdout
    assert "revoked" in invoke("token", "list", **environment).stdout


@pytest.mark.parametrize(
    ("arguments", "lifetime"),
    [((), timedelta(days=90)), (("--expires", "never"), None), (("--expires", "12h"), timedelta(hours=12))],
)
def test_a_token_expires_after_90_days_by_default(
    url: str, world: World, arguments: tuple[str, ...], lifetime: timedelta | None
) -> None:
    environment = {"MAINSHEET_DATABASE_URL": url}

    invoke("token", "create", "--member", world.viewer.email, *arguments, **environment)

    listed = invoke("token", "list", "--member", world.viewer.email, **environment).stdout
    created, *expires = (datetime.fromisoformat(each) for each in re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", listed))
    assert [each - created for each in expires] == ([] if lifetime is None else [lifetime])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--member", "nobody@example.com"), "nobody@example.com"),
        (("--member", "not-utf-8-\udcff"), "There is no member"),
        (("--member", "{viewer}", "--expires", "soon"), "'soon' is no duration"),
        (("--member", "{viewer}", "--expires", "0d"), "'0d' is no duration"),
        (("--member", "{viewer}", "--name", "x" * 256), "--name"),
        (("--member", "{viewer}", "--name", " \t"), "is blank"),
        (("--member", "{viewer}", "--name", "a\u202eb"), "U+202E"),
        (("--member", "{viewer}", "--name", "demo"), "--name"),
        ((), "--member"),
        (("--member", "{viewer}", "--service-account", "worker"), "Name either --member or --service-account."),
        (("--service-account", "nobody"), "There is no service account nobody."),
        (("--service-account", "{viewer}"), "There is no service account"),
        (("--service-account", "a\x00b"), "There is no service account"),
    ],
)
def test_invalid_token_options_print_one_line(url: str, world: World, arguments: tuple[str, ...], said: str) -> None:
    filled = [each.format(viewer=world.viewer.email) for each in arguments]

    assert said in refused(invoke("token", "create", *filled, MAINSHEET_DATABASE_URL=url))


def test_a_token_name_is_stored_normalized(url: str, world: World) -> None:
    given = ("--member", world.viewer.email, "--name", " \u0041\u0308rger\n")
    assert invoke("token", "create", *given, MAINSHEET_DATABASE_URL=url).returncode == 0

    assert "  Ärger  " in invoke("token", "list", MAINSHEET_DATABASE_URL=url).stdout


def test_upgrade_lists_unfit_values_and_succeeds(url: str, world: World) -> None:
    async def make_unfit() -> None:
        database = Database.open(url)
        async with database.writes.begin() as connection:
            await connection.execute(
                update(SavedQuery).where(SavedQuery.id == world.queries[0].id).values(name="a\u202eb")
            )
        await database.close()

    asyncio.run(make_unfit())

    checked = invoke("db", "check", "--values", "--database-url", url)
    assert checked.returncode == 0
    assert f"saved_query {world.queries[0].id}, name: Must not contain the character U+202E." in checked.stdout
    assert "rules for new ones: 1." in checked.stdout
    assert "don't fit" not in invoke("db", "check", "--database-url", url).stdout
    assert "don't fit" not in invoke("db", "upgrade", "--database-url", url).stdout  # nothing was pending


def test_a_refused_statement_is_no_failure_of_the_database(postgres_url: str) -> None:
    url = f"{postgres_url}&options=-c%20role%3Dpg_monitor"  # a role that may read no table

    said = refused(invoke("db", "check", MAINSHEET_DATABASE_URL=url))

    assert said == "The database refused a statement: permission denied for table alembic_version"


def test_an_unknown_token_can_not_be_revoked(url: str) -> None:
    for token_id in ("AT0", "not-utf-8-\udcff"):  # the system encodes arguments, so these are processes
        assert "There is no token" in refused(mainsheet("token", "revoke", token_id, MAINSHEET_DATABASE_URL=url))


def test_the_schema_is_printed_as_it_is_committed() -> None:
    assert mainsheet("schema", "print").stdout == SDL.read_text("utf-8")
    assert invoke("schema", "check").returncode == 0


def test_settings_as_json_are_described_and_masked() -> None:
    url = "postgresql://ada:s3cret@db/mainsheet"

    rows = json.loads(invoke("settings", "--json", MAINSHEET_DATABASE_URL=url).stdout)

    assert [each["setting"] for each in rows] == [f"MAINSHEET_{name.upper()}" for name in Settings.model_fields]
    assert "s3cret" not in rows[0]["value"]
    assert rows[0]["origin"] == "environment"
    assert all(each["description"] for each in rows)


def test_settings_show_their_sources_and_mask_secrets() -> None:
    url = "postgresql://mainsheet:hunter2@db.internal/mainsheet"
    shown = invoke("settings", "--port", "1234", MAINSHEET_DATABASE_URL=url, MAINSHEET_MAX_DEPTH="7").stdout

    rows = {line.split()[0]: line for line in shown.splitlines() if line}
    assert "1234" in rows["MAINSHEET_PORT"]
    assert rows["MAINSHEET_PORT"].endswith("option")
    assert "7" in rows["MAINSHEET_MAX_DEPTH"]
    assert "hunter2" not in shown


def test_no_secret_of_a_url_is_shown() -> None:
    database = "postgresql://ada:hunter2@127.0.0.1:1/x?password=hunter2&ssl=disable"
    keys = "https://ada:hunter2@issuer.example/keys?access_token=hunter2"

    issuer = {"MAINSHEET_OIDC_ISSUER": "https://issuer.example", "MAINSHEET_OIDC_JWKS_URL": keys}
    shown = invoke("settings", "--database-url", database, **issuer).stdout
    failure = invoke("db", "check", "--database-url", database).stderr

    assert "hunter2" not in shown + failure
    assert "ada" not in shown
    assert "https://***@issuer.example/keys?access_token=***" in shown
    assert "ssl=disable" in shown


@pytest.mark.parametrize("before", ["", "a b", "a'b", 'a"b', "a<b", "a>b"])
def test_a_password_of_any_characters_is_masked(postgres_url: str, before: str) -> None:
    asyncio.run(execute(postgres_url, "UPDATE alembic_version SET version_num = '0000'"))
    replicas = ",".join(f"postgresql://ada:{before}hunter2@{host}/x" for host in ("one", "two"))

    shown = invoke("settings", MAINSHEET_DATABASE_URL=f"postgresql://ada:{before}hunter2@db/x?sslmode=disable").stdout
    many = invoke("settings", MAINSHEET_DATABASE_URL=postgres_url, MAINSHEET_REPLICA_URLS=replicas).stdout
    hint = refused(invoke("db", "check", "--database-url", f"{postgres_url}&password={before}hunter2"))

    assert "hunter2" not in shown + many + hint
    assert "postgresql://***@db/x?sslmode=disable" in shown
    assert "postgresql://***@one/x,postgresql://***@two/x" in many
    assert "run `mainsheet db upgrade --database-url " in hint


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MAINSHEET_DATABASE_URL": "nonsense"}, "sqlite:///FILE"),
        ({"MAINSHEET_DATABASE_URL": "mysql://localhost/x"}, "postgresql://USER"),
        (
            {"MAINSHEET_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"},
            "can't be reached: [Errno 111] Connection refused: '127.0.0.1:1'",
        ),
        ({"MAINSHEET_DATABASE_URL": "postgresql://x@127.0.0.1:1,127.0.0.1:2/x"}, "refused: '127.0.0.1:"),
        ({"MAINSHEET_DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "/nowhere/at"),
        ({"MAINSHEET_DATABASE_URL": "sqlite:////tmp"}, "/tmp can't be opened"),
        ({"MAINSHEET_PORT": "many"}, "MAINSHEET_PORT"),
        ({"MAINSHEET_MAX_DEPTH": "0"}, "MAINSHEET_MAX_DEPTH"),
        ({"MAINSHEET_OIDC_ISSUER": "https://issuer.example"}, "MAINSHEET_OIDC"),
        ({"MAINSHEET_DATABASE_URL": ""}, "MAINSHEET_DATABASE_URL is empty"),
        ({"MAINSHEET_DATABASE_URL": "postgresql://x@127.0.0.1:1/x?sslmod=require"}, "did you mean sslmode?"),
        ({"MAINSHEET_DATABASE_URL": "postgresql://x@127.0.0.1:1/x?sslmode=require"}, "The database can't be reached"),
        ({"MAINSHEET_DATABASE_URL_FILE": "/nowhere"}, "not both"),
        ({"MAINSHEET_PROT": "80"}, "MAINSHEET_PROT is no setting: did you mean MAINSHEET_PORT?"),
        ({"MAINSHEET_LOG_LEVEL": " "}, "MAINSHEET_LOG_LEVEL is empty"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value.values())),
)
def test_an_invalid_setting_prints_one_line(sqlite_url: str, environment: dict[str, str], said: str) -> None:
    defaults = {"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_PORT": "0"}

    assert said in refused(mainsheet("serve", **defaults | environment))


def test_a_secret_setting_may_be_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://mainsheet:hunter2@db.internal/mainsheet\n")

    shown = invoke("settings", "--describe", MAINSHEET_DATABASE_URL_FILE=str(secret)).stdout

    row = next(line for line in shown.splitlines() if line.startswith("MAINSHEET_DATABASE_URL"))
    assert row.split()[1:] == ["postgresql://***@db.internal/mainsheet", "file"]
    assert all(str(field.description) in shown for field in Settings.model_fields.values())


def test_the_service_links_of_kubernetes_are_ignored() -> None:
    address = "tcp://10.0.0.7:8000"
    links = {"MAINSHEET_PORT": address, "MAINSHEET_PORT_8000_TCP": address, "MAINSHEET_PORT_8000_TCP_PROTO": "tcp"}
    links |= {
        "MAINSHEET_SERVICE_HOST": "10.0.0.7",
        "MAINSHEET_SERVICE_PORT": "8000",
        "MAINSHEET_SERVICE_PORT_HTTP": "1",
    }

    shown = invoke("settings", **links).stdout

    row = next(line for line in shown.splitlines() if line.startswith("MAINSHEET_PORT "))
    assert row.split()[1] == "8000"
    assert "9000" in invoke("settings", "--port", "9000", **links).stdout


@pytest.mark.parametrize("content", [None, "\n"], ids=["missing", "empty"])
def test_an_unusable_secret_file_prints_one_line(tmp_path: Path, content: str | None) -> None:
    secret = tmp_path / "url"
    if content is not None:
        secret.write_text(content)

    assert f"MAINSHEET_DATABASE_URL_FILE: {secret}" in refused(
        mainsheet("serve", MAINSHEET_DATABASE_URL_FILE=str(secret))
    )


@pytest.fixture
def newer_url(url: str) -> Callable[[str], str]:
    """Makes the database that of a newer version, which can be served from a revision on."""

    def make(compatible_from: str) -> str:
        async def made() -> None:
            async with opened(url) as database:
                await make_newer(database, compatible_from)

        asyncio.run(made())
        return url

    return make


def test_a_database_of_a_newer_version_is_refused(newer_url: Callable[[str], str]) -> None:
    url = newer_url("9998")
    newer = f"The database is at revision 9999, newer than this version's {head()}: update Mainsheet"

    for words in (("db", "check"), ("db", "upgrade"), ("db", "seed"), ("token", "list")):
        assert refused(invoke(*words, "--database-url", url)) == newer
    assert refused(mainsheet("serve", "--port", "0", "--database-url", url)) == newer
    status = invoke("db", "status", "--database-url", url)
    assert (status.returncode, status.stdout.splitlines()[:2]) == (
        0,
        [f"{newer.removesuffix(': update Mainsheet')}.", "Versions from revision 9998 on can serve it."],
    )


def test_the_status_of_a_database_is_shown(url: str) -> None:
    status = invoke("db", "status", "--database-url", url)

    assert (status.returncode, status.stdout.splitlines()) == (
        0,
        [
            f"The database is at revision {head()}.",
            f"Versions from revision {compatible_from(head())} on can serve it.",
            "There is no migration to run.",
        ],
    )


def test_a_newer_database_that_this_version_can_serve_is_used(newer_url: Callable[[str], str]) -> None:
    url = newer_url(head())
    newer = f"The database is at revision 9999, newer than this version's {head()}. This version can serve it.\n"

    for words in (("db", "check"), ("db", "upgrade")):
        result = invoke(*words, "--database-url", url)
        assert (result.returncode, result.stdout, result.stderr) == (0, newer, "")
    assert invoke("db", "seed", "--database-url", url).returncode == 0
    with serving("--database-url", url) as server:
        assert server.stop() == 0


def test_a_database_of_an_older_version_is_refused(sqlite_url: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")

    serve = mainsheet("serve", "--port", "0", "--database-url", sqlite_url)
    check = invoke("db", "check", "--database-url", sqlite_url)

    for said in (refused(serve), refused(check)):
        assert "is at revision 0000, this version needs" in said
        assert "run `mainsheet db upgrade" in said


@pytest.mark.parametrize("revision", ["000f3b7c21de", "8b1f3c9d2e7a"])
def test_a_database_of_another_application_is_refused(sqlite_url: str, revision: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    foreign = f"The database is of another application: its revision {revision!r} is none of Mainsheet's"

    assert refused(mainsheet("serve", "--port", "0", "--database-url", sqlite_url)) == foreign
    commands = (("db", "status"), ("db", "check"), ("db", "upgrade"), ("db", "downgrade", "0029"), ("db", "seed"))
    for words in (*commands, ("token", "list")):
        assert refused(invoke(*words, "--database-url", sqlite_url)) == foreign


def test_a_query_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "query.graphql"
    file.write_text(
        "query ($all: Boolean!) { me { jobs { nodes { id draft @include(if: $all) { number } } } } }", "utf-8"
    )

    url, admin = "sqlite:///nowhere.sqlite3", ("--role", "ADMIN")
    short = invoke("explain", str(file), "--variables", '{"all": false}', *admin, MAINSHEET_DATABASE_URL=url).stdout
    long = invoke("explain", str(file), "--variables", '{"all": true}').stdout

    assert short.startswith("async def answer(")
    assert "# level 1\n" in short
    assert "Job.draft" not in short
    assert "Job.draft" in long
    assert "WHERE job.organization_id = ? AND job.organization_id = ? ORDER BY" in short
    assert "WHERE job_version.job_id = ANY ((SELECT CAST($1::VARCHAR AS TEXT[]))::text[])" in long


LIMITED = "query ($n: Int) { jobs(limit: $n) { totalCount } }"


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("{ me {", (), "Syntax Error"),
        ("{ nothing }", (), "nothing"),
        ("mutation { deleteJob(input: {jobId: 1}) { deletedJobId } }", (), "Only queries"),
        ("query A { __typename } query B { __typename }", (), "several operations: name one with --operation"),
        ('{ jobs(filter: {createdSince: "0001-01-01T00:00:00+14:00"}) { totalCount } }', (), "1 to 9999"),
        ("{ __typename }", ("--variables", "{"), "--variables"),
        ("{ __typename }", ("--variables", "[]"), "--variables"),
        ("{ __typename }", ("--variables", '{"a":' + "[" * 100_000), "--variables"),
        (LIMITED, ("--variables", '{"n": NaN}'), "--variables"),
        (LIMITED, ("--variables", '{"n": ' + "9" * 5000 + "}"), "--variables"),
        ("{ __schema { description } }", (), "graphql-core runs this query, because of the resolver of Query.__schema"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_explain_failures_print_one_line(tmp_path: Path, text: str, more: tuple[str, ...], said: str) -> None:
    (tmp_path / "query.graphql").write_text(text, "utf-8")

    assert said in refused(invoke("explain", str(tmp_path / "query.graphql"), *more))


def test_explain_reads_settings_as_other_commands_do(tmp_path: Path) -> None:
    (tmp_path / "query.graphql").write_text("{ me { jobs { nodes { id } } } }", "utf-8")
    (tmp_path / "url").write_text("sqlite:///nowhere.sqlite3", "utf-8")
    command = ("explain", str(tmp_path / "query.graphql"))

    explained = invoke(*command, MAINSHEET_DATABASE_URL_FILE=str(tmp_path / "url")).stdout

    assert "job.organization_id = ?" in explained
    assert "MAINSHEET_PROT is no setting" in refused(invoke(*command, MAINSHEET_PROT="80"))
    assert refused(invoke(*command, MAINSHEET_PORT="many")).startswith("MAINSHEET_PORT: Input should be")
