"""A database that release 0.1.0 filled through its API, upgraded to this version: every value is kept.

`releases/0.1.0/odd` has the demo and jobs with hidden, deleted and present dependencies, drafts that were edited,
discarded and left alone, deleted jobs, a key that was used again, sources of all kinds, and values that the rules of
today refuse.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.migrate import upgrade
from testbed.ask import Ask
from testbed.databases import postgres_database
from tests.releases.kept import restore_postgresql, restore_sqlite

ODD = "0.1.0/odd"
TABLES = (
    *("organization", "member", "team", "team_member", "cluster", "saved_query", "job", "job_team", "job_version"),
    *("job_version_query", "job_version_dependency", "job_run"),
)
RENAMED = {"text": "sql", "member": "actor", "member_id": "actor_id"}
FOLDED_ANEW = {"search_text"}
OLD_EVENTS = """SELECT job_id, job_key, action, actor_id, occurred_at, from_version, to_version, message, changes
  FROM job_event ORDER BY job_id, sequence"""
NEW_EVENTS = """SELECT job_id, subject_label, action, actor_id, occurred_at, from_version_number, to_version_number,
  message, changes FROM event ORDER BY job_id, number"""
ACTIONS = {"TEAMS_ADDED": "TEAMS_ADDED_TO_JOB", "TEAM_REMOVED": "TEAM_REMOVED_FROM_JOB"}
VALUE = """fragment Value on ConfigValue { __typename ... on TextValue { text } ... on NumberValue { number }
  ... on NodeValue { key node { id } } ... on HiddenValue { isHidden } }"""
CHANGES = "changes { path label kind before { ...Value } after { ...Value } }"
DEPENDENCIES = "dependencies { condition jobKey isDeleted job { jobKey } }"
JOBS = f"""query ($after: String) {{ jobs(first: 20, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }}
  nodes {{ jobKey activatedAt updatedAt currentVersion {{ number publishedAt {DEPENDENCIES} }}
    draft {{ updatedAt updatedBy {{ displayName }} createdAt input maxRetries {DEPENDENCIES} }}
    versions {{ totalCount nodes {{ number input {CHANGES} {DEPENDENCIES} }} }}
    events {{ totalCount nodes {{ action {CHANGES} }} }} }} }} }} {VALUE}"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def odd(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = Database.open(restore_sqlite(ODD, tmp_path / "odd.sqlite3"))
        yield database
        await database.close()
        return
    async with postgres_database(request.getfixturevalue("postgres_server")) as url:
        restore_postgresql(ODD, url)
        database = Database.open(url)
        yield database
        await database.close()


async def rows(database: Database, statement: str) -> Sequence[Row[Any]]:
    async with database.reads.connect() as connection:
        return (await connection.execute(text(statement))).all()


async def columns_of(database: Database, table: str) -> list[str]:
    async with database.reads.connect() as connection:
        return list((await connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))).keys())


async def jobs_of_harbor(database: Database) -> dict[str, Any]:
    """Return all jobs as an administrator sees them, by key."""
    async with AsyncSession(database.reads, expire_on_commit=False) as session:
        admin = (await session.scalars(select(Member).where(Member.email == "admin@harbor.example"))).one()
    ask, found = Ask(database), dict[str, Any]()
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        jobs = (await ask(admin, JOBS, after=page["endCursor"]))["jobs"]
        found |= {each["jobKey"]: each for each in jobs["nodes"]}
        page = jobs["pageInfo"]
    assert len(found) == jobs["totalCount"]
    return found


async def test_every_value_is_kept(odd: Database) -> None:
    kept = {table: [each for each in await columns_of(odd, table) if each not in FOLDED_ANEW] for table in TABLES}
    before = {table: await ordered(odd, table, columns) for table, columns in kept.items()}
    events = await rows(odd, OLD_EVENTS)

    await upgrade(odd)

    for table, columns in kept.items():
        new = [RENAMED.get(each, each) for each in columns]
        assert await ordered(odd, RENAMED.get(table, table), new) == before[table], table
    expected = [(*each[:2], ACTIONS.get(each.action, each.action), *each[3:]) for each in events]
    assert [tuple(each) for each in await rows(odd, NEW_EVENTS)] == expected
    assert all(before.values())


async def ordered(database: Database, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    found = await rows(database, f"SELECT {', '.join(columns)} FROM {table}")
    return sorted(tuple(map(str, each)) for each in found)


async def test_every_version_and_event_is_shown(odd: Database) -> None:
    of_harbor = "organization_id = (SELECT id FROM organization WHERE name = 'harbor')"
    (versions,) = await rows(odd, f"SELECT count(*) FROM job_version WHERE status = 'PUBLISHED' AND {of_harbor}")
    events = await rows(odd, f"SELECT job_id FROM job_event WHERE job_id IN (SELECT id FROM job WHERE {of_harbor})")

    await upgrade(odd)
    jobs = await jobs_of_harbor(odd)

    assert sum(each["versions"]["totalCount"] for each in jobs.values()) == versions[0]
    assert sum(len(each["versions"]["nodes"]) for each in jobs.values()) == versions[0]
    assert sum(len(each["events"]["nodes"]) for each in jobs.values()) == len(events)
    for job in jobs.values():
        for each in [*job["versions"]["nodes"], *job["events"]["nodes"]]:
            assert all(change["before"] or change["after"] for change in each["changes"])


async def test_a_dependency_that_0_1_0_lost_is_a_deleted_job(odd: Database) -> None:
    await upgrade(odd)

    waiting = (await jobs_of_harbor(odd))["odd-waiting"]

    shown = [
        {"condition": "ON_SUCCESS", "jobKey": "odd-hidden", "isDeleted": False, "job": {"jobKey": "odd-hidden"}},
        {"condition": "ON_FAILURE", "jobKey": None, "isDeleted": True, "job": None},
        {"condition": "ON_COMPLETION", "jobKey": "odd-seen", "isDeleted": False, "job": {"jobKey": "odd-seen"}},
    ]
    assert [each["dependencies"] for each in waiting["versions"]["nodes"]] == [shown, shown]
    (_, second) = waiting["versions"]["nodes"]
    assert [each["path"] for each in second["changes"]] == [["maxRetries"]]
    created = waiting["events"]["nodes"][-1]["changes"]
    lost = [each for each in created if each["path"] == ["dependencies", "hidden"]]
    assert [each["after"] for each in lost] == [{"__typename": "HiddenValue", "isHidden": True}]


async def test_texts_that_look_like_other_values_stay_texts(odd: Database) -> None:
    await upgrade(odd)

    seen = (await jobs_of_harbor(odd))["odd-seen"]

    second, *_ = [each for each in seen["versions"]["nodes"] if each["number"] == 2]
    values = {tuple(each["path"]): each["after"] for each in second["changes"]}
    text_of = {name: values["environment", name] for name in ("A=B", "max_retries", "snake_case")}
    assert text_of == {
        "A=B": {"__typename": "TextValue", "text": ""},
        "max_retries": {"__typename": "TextValue", "text": "7"},
        "snake_case": {"__typename": "TextValue", "text": '{"secret_reference": "x"}'},
    }


async def test_drafts_and_current_versions_know_their_last_change(odd: Database) -> None:
    await upgrade(odd)

    jobs = await jobs_of_harbor(odd)

    seen, hidden = jobs["odd-seen"], jobs["odd-hidden"]
    assert seen["draft"]["updatedBy"]["displayName"] != hidden["draft"]["updatedBy"]["displayName"]
    assert seen["draft"]["updatedAt"] > seen["draft"]["createdAt"]
    assert hidden["draft"]["updatedAt"] == hidden["draft"]["createdAt"]
    assert (seen["draft"]["maxRetries"], seen["currentVersion"]["number"]) == (4, 2)
    assert seen["activatedAt"] > seen["currentVersion"]["publishedAt"]
