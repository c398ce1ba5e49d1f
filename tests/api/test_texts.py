"""Texts: normalization, refused characters, and texts that were stored under older rules."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import select, update

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from testbed.ask import CREATE_JOB, Ask, config, job_input
from testbed.world import World

READ = """query ($id: ID!) { job(id: $id) { name description revision currentVersion { environment { name value }
  source { ... on PythonWheelSource { packageName entryPoint version arguments } ... on SqlSnapshotSource { sql origin }
    ... on PythonFileSource { path } } compute { driverInstanceType executorInstanceType } } } }"""
CHANGE = """mutation ($input: %s!) { %s(input: $input) { job { revision } userErrors { code message path } } }"""
DECOMPOSED = unicodedata.normalize("NFD", "Größe")
WHEEL = {"packageName": "etl", "entryPoint": "main"}
NAMES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "name": lambda text: {"name": text},
    "packageName": lambda text: {"config": {"source": {"pythonWheel": WHEEL | {"packageName": text}}}},
    "entryPoint": lambda text: {"config": {"source": {"pythonWheel": WHEEL | {"entryPoint": text}}}},
    "version": lambda text: {"config": {"source": {"pythonWheel": WHEEL | {"version": text}}}},
    "path": lambda text: {"config": {"source": {"pythonFile": {"path": text}}}},
    "origin": lambda text: {"config": {"source": {"sqlSnapshot": {"sql": "SELECT 1", "origin": text}}}},
    "driverInstanceType": lambda text: {"config": {"compute": {"driverInstanceType": text}}},
    "executorInstanceType": lambda text: {
        "config": {"compute": {"executionMode": "CLUSTER", "executorInstanceType": text}}
    },
}
BAD_NAMES = {
    "": "but is blank",
    " \t\u3000": "but is blank",
    "a\nb": "U+000A",
    "a\x07b": "U+0007",
    "a\u202eb": "U+202E",
    "a\u2066b": "U+2066",
    "a\u200bb": "U+200B",
    "\ufeffa": "U+FEFF",
    "a\u2028b": "U+2028",
    "\u3164": "U+3164",
    "a\ud800": "U+D800",
    "a\0": "U+0000",
}


async def problems(ask: Ask, world: World, **values: Any) -> list[tuple[str, str]]:
    """Create a job and return its problems: the last part of each path, and the reason."""
    wanted = job_input(world, **values) | {"config": config(world, **values.get("config", {}))}
    answer = (await ask(world.contributor, CREATE_JOB, input=wanted))["createJob"]
    assert all(each["code"] == "INVALID" for each in answer["userErrors"])
    return [(each["path"][-1], each["message"]) for each in answer["userErrors"]]


async def created(ask: Ask, world: World, **values: Any) -> Any:
    given = values | {"config": config(world, **values.get("config", {}))}
    job_id = await ask.create_job(world.contributor, world, **given)
    return (await ask(world.contributor, READ, id=job_id))["job"]


async def change(ask: Ask, world: World, name: str, /, **values: Any) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return (await ask(world.contributor, CHANGE % (kind, name), input=values))[name]


@pytest.mark.parametrize("field", NAMES)
async def test_invalid_names_are_refused(ask: Ask, world: World, field: str) -> None:
    for text, reason in BAD_NAMES.items():
        ((path, message),) = await problems(ask, world, **NAMES[field](text))
        assert path == field
        assert reason in message, ascii(text)


@pytest.mark.parametrize("field", NAMES)
async def test_a_name_is_stored_trimmed_and_composed(ask: Ask, world: World, field: str) -> None:
    job = await created(ask, world, **NAMES[field](f"\n {DECOMPOSED} \u00a0"))

    assert "Größe" in values_of(job)


def values_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [each for own in value.values() for each in values_of(own)]
    return [each for own in value for each in values_of(own)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("bad", ["a\x07b", "a\u202eb", "a\u2067b", "a\x85b"], ids=ascii)
async def test_control_characters_in_prose_are_refused(ask: Ask, world: World, bad: str) -> None:
    code = f"U+{ord(bad[1]):04X}"
    job_id = await ask.create_job(world.contributor, world, jobKey="first")

    assert await problems(ask, world, description=bad) == [("description", f"Must not contain the character {code}.")]
    for name in ("updateJob", "createVersion"):
        given: dict[str, Any] = {"changes": {}} if name == "createVersion" else {"name": "Other"}
        refused = await change(ask, world, name, jobId=job_id, message=bad, **given)
        assert [(each["path"], each["code"]) for each in refused["userErrors"]] == [(["message"], "INVALID")]


async def test_prose_keeps_line_breaks_and_is_normalized(ask: Ask, world: World) -> None:
    job = await created(ask, world, description=f" {DECOMPOSED}\r\n\t\u05d0\u200f 👩\u200d🔬 ")

    assert job["description"] == " Größe\r\n\t\u05d0\u200f 👩\u200d🔬 "


async def test_code_is_stored_unchanged(ask: Ask, world: World) -> None:
    text = f"\n SELECT '{DECOMPOSED}', '\u202e\u200b\x07' \r\n"
    environment = [{"name": "TEXT", "value": text}]
    by_sql = await created(ask, world, config={"source": {"sqlSnapshot": {"sql": text}}, "environment": environment})
    wheel = {"pythonWheel": WHEEL | {"arguments": [text, "", " "]}}
    by_wheel = await created(ask, world, jobKey="wheel", config={"source": wheel})

    assert by_sql["currentVersion"]["source"]["sql"] == text
    assert by_sql["currentVersion"]["environment"] == environment
    assert by_wheel["currentVersion"]["source"]["arguments"] == [text, "", " "]
    assert await problems(ask, world, jobKey="blank", config={"source": {"sqlSnapshot": {"sql": " \n"}}}) == [
        ("sql", "Must be 1 to 8191 characters long, but is blank.")
    ]


async def test_another_normal_form_is_no_change(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, name="Größe", description="Größe")
    before = (await ask(world.contributor, READ, id=job_id))["job"]

    answer = await change(ask, world, "updateJob", jobId=job_id, name=f" {DECOMPOSED}", description=DECOMPOSED)

    assert answer == {"job": {"revision": before["revision"]}, "userErrors": []}


@pytest.mark.parametrize(
    ("name", "is_good"),
    [("A", True), ("_a9", True), ("A" * 255, True), ("A" * 256, False), ("", False), ("9A", False)]
    + [(bad, False) for bad in ("A=B", "A\nB", "A\n", " A", "A B", "A-B", "É", "A\0")],
    ids=ascii,
)
async def test_invalid_variable_names_are_refused(ask: Ask, world: World, name: str, is_good: bool) -> None:
    refused = await problems(ask, world, config={"environment": [{"name": name, "value": "x"}]})

    assert [path for path, _ in refused] == ([] if is_good else ["name"])


@pytest.mark.parametrize(
    ("key", "is_good"),
    [("a_b", True), ("a-b_c9", True), ("9_9", True), ("a" * 100, True), ("a" * 101, False)]
    + [(bad, False) for bad in ("_a", "a_", "a__b", "a-_b", "A_b", "a b", " a", "a\n", "ä", "")],
    ids=ascii,
)
async def test_invalid_job_keys_are_refused(ask: Ask, world: World, key: str, is_good: bool) -> None:
    refused = await problems(ask, world, jobKey=key)

    assert [path for path, _ in refused] == ([] if is_good else ["jobKey"])
    found = (await ask(world.admin, "query ($key: String!) { jobByKey(jobKey: $key) { id } }", key=key))["jobByKey"]
    assert (found is not None) is is_good


@pytest.mark.parametrize("mode", [{}, {"executionMode": "STANDALONE"}, {"executionMode": "CLUSTER"}], ids=str)
async def test_executors_need_the_execution_mode_cluster(ask: Ask, world: World, mode: dict[str, str]) -> None:
    compute = mode | {"executorInstanceType": "m6i.large", "executorCount": 0, "driverInstanceType": "m6i.large"}
    refused = await problems(ask, world, config={"compute": compute})

    is_cluster = mode == {"executionMode": "CLUSTER"}
    assert [path for path, _ in refused] == ([] if is_cluster else ["executorInstanceType", "executorCount"])


async def test_a_blank_idempotency_key_is_refused(ask: Ask, world: World) -> None:
    assert await problems(ask, world, idempotencyKey=" ") == [
        ("idempotencyKey", "Must be 1 to 255 characters long, but is blank.")
    ]
    for key in (DECOMPOSED, unicodedata.normalize("NFC", DECOMPOSED), " \u202e\n"):
        assert await problems(ask, world, jobKey=f"job-{ascii(key).encode().hex()}"[:50], idempotencyKey=key) == []


@pytest.fixture
async def unfit(ask: Ask, world: World, database: Database) -> str:
    """Create a job that only the rules of 0.1.0 accept."""
    job_id = await ask.create_job(world.contributor, world)
    values = {
        "source_kind": "PYTHON_WHEEL",
        "source": {"package_name": " ", "entry_point": "a\u202eb", "version": None, "arguments": []},
        "environment": [{"name": "A=B", "value": "x"}, {"name": "A\nB", "value": "y"}],
        "executor_count": 4,
    }
    async with database.writes.begin() as connection:
        await connection.execute(update(Job).where(Job.id == job_id).values(name=" two ", description="\x07"))
        await connection.execute(update(JobVersion).where(JobVersion.job_id == job_id).values(values))
    return job_id


async def test_values_stored_under_older_rules_can_be_published(
    ask: Ask, world: World, database: Database, unfit: str
) -> None:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("createDraft", {}),
        ("updateDraft", {"changes": {"maxRetries": 3}}),
        ("publishDraft", {}),
        ("createVersion", {"changes": {"compute": None}}),
        ("activateVersion", {"number": 1}),
        ("updateJob", {"status": "PAUSED"}),
    ]
    for name, values in steps:
        answer = await change(ask, world, name, jobId=unfit, **values)
        assert answer["userErrors"] == [], name

    async with database.reads.connect() as connection:
        versions = (await connection.execute(select(JobVersion.environment).where(JobVersion.job_id == unfit))).all()
    assert [row.environment for row in versions] == [versions[0].environment] * 3


async def test_new_values_are_checked_by_todays_rules(ask: Ask, world: World, unfit: str) -> None:
    environment = (await ask(world.contributor, READ, id=unfit))["job"]["currentVersion"]["environment"]

    refused = await change(ask, world, "createDraft", jobId=unfit, changes={"environment": environment})
    nulls = await change(ask, world, "createDraft", jobId=unfit, changes={"source": None})

    assert [each["path"] for each in refused["userErrors"]] == [
        ["changes", "environment", str(index), "name"] for index in range(2)
    ]
    assert [each["path"] for each in nulls["userErrors"]] == [["changes", "source"]]
