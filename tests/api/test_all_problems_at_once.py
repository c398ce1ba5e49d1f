"""All problems of an input are reported together: correcting them reveals no further ones."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from testbed.ask import Ask, config, job_input
from testbed.world import World

TOLD = """userErrors { code path
  ... on InvalidError { minimum maximum }
  ... on StaleRevisionError { expected actual }
  ... on DraftExistsError { draft { number } }
  ... on VersionNotFoundError { number }
  ... on VersionNotPublishedError { number }
  ... on ClusterNotActiveError { cluster { name } }
  ... on DependencyCycleError { cycle { jobKey } }
}"""

Told = tuple[str, str, dict[str, Any]]

LONG = "m" * 1024
MESSAGE: Told = ("INVALID", "message", {"minimum": 0, "maximum": 1023})
KEY: Told = ("INVALID", "idempotencyKey", {"minimum": 1, "maximum": 255})
DRAFT: Told = ("DRAFT_EXISTS", "jobId", {"draft": {"number": 3}})
NO_DRAFT: Told = ("DRAFT_NOT_FOUND", "jobId", {})
CYCLE = {"cycle": [{"jobKey": "ring"}, {"jobKey": "other"}, {"jobKey": "ring"}]}
RETRIES: Told = ("INVALID", "changes.maxRetries", {"minimum": 0, "maximum": 10})
SOURCE: Told = ("INVALID", "changes.source", {"minimum": None, "maximum": None})
CHANGES = {"maxRetries": 11, "source": None}


def stale(name: str, actual: int) -> Told:
    return "STALE_REVISION", name, {"expected": 99, "actual": actual}


def failed(path: str, cluster: str = "active") -> Told:
    return "CLUSTER_NOT_ACTIVE", path, {"cluster": {"name": cluster}}


# Each mutation, the job, an input with all possible problems, and the reported problems in order.
ALL: list[tuple[str, str, dict[str, Any], list[Told]]] = [
    (
        "updateJob",
        "bare",
        {"expectedJobRevision": 99, "name": "", "status": None, "description": LONG, "message": LONG},
        [
            stale("expectedJobRevision", 1),
            ("INVALID", "name", {"minimum": 1, "maximum": 255}),
            ("INVALID", "description", {"minimum": 0, "maximum": 1023}),
            ("INVALID", "status", {"minimum": None, "maximum": None}),
            MESSAGE,
        ],
    ),
    ("deleteJob", "bare", {"expectedJobRevision": 99}, [stale("expectedJobRevision", 1)]),
    ("createDraft", "ring", {"changes": CHANGES}, [DRAFT, SOURCE, RETRIES]),
    (
        "updateDraft",
        "ring",
        {"expectedDraftRevision": 99, "changes": CHANGES},
        [stale("expectedDraftRevision", 2), SOURCE, RETRIES],
    ),
    ("updateDraft", "bare", {"expectedDraftRevision": 99, "changes": CHANGES}, [NO_DRAFT, SOURCE, RETRIES]),
    ("discardDraft", "ring", {"expectedDraftRevision": 99}, [stale("expectedDraftRevision", 2)]),
    ("discardDraft", "bare", {"expectedDraftRevision": 99}, [NO_DRAFT]),
    (
        "publishDraft",
        "ring",
        {"idempotencyKey": "", "expectedDraftRevision": 2, "expectedCurrentVersion": 99, "message": LONG},
        [KEY, stale("expectedCurrentVersion", 2), MESSAGE, failed("jobId"), ("DEPENDENCY_CYCLE", "jobId", CYCLE)],
    ),
    (
        "publishDraft",
        "bare",
        {"idempotencyKey": "", "expectedDraftRevision": 99, "expectedCurrentVersion": 99, "message": LONG},
        [KEY, stale("expectedCurrentVersion", 1), NO_DRAFT, MESSAGE],
    ),
    (
        "createVersion",
        "ring",
        {
            "idempotencyKey": "",
            "expectedCurrentVersion": 99,
            "message": LONG,
            "changes": {**CHANGES, "clusterId": "pending", "dependencies": ["other"]},
        },
        [
            KEY,
            stale("expectedCurrentVersion", 2),
            DRAFT,
            MESSAGE,
            failed("changes.clusterId", "pending"),
            ("DEPENDENCY_CYCLE", "changes.dependencies", CYCLE),
            SOURCE,
            RETRIES,
        ],
    ),
    (
        "createVersion",
        "ring",
        {"idempotencyKey": "used", "message": LONG, "changes": CHANGES},
        [
            ("IDEMPOTENCY_KEY_REUSED", "idempotencyKey", {}),
            DRAFT,
            MESSAGE,
            failed("changes.clusterId"),
            SOURCE,
            RETRIES,
        ],
    ),
    (
        "activateVersion",
        "ring",
        {"expectedCurrentVersion": 99, "message": LONG, "number": 1},
        [
            stale("expectedCurrentVersion", 2),
            DRAFT,
            MESSAGE,
            failed("number"),
            ("DEPENDENCY_CYCLE", "jobId", CYCLE),
        ],
    ),
    (
        "activateVersion",
        "ring",
        {"expectedCurrentVersion": 99, "message": LONG, "number": 3},
        [stale("expectedCurrentVersion", 2), DRAFT, MESSAGE, ("VERSION_NOT_PUBLISHED", "number", {"number": 3})],
    ),
    (
        "activateVersion",
        "ring",
        {"expectedCurrentVersion": 99, "message": LONG, "number": 4},
        [stale("expectedCurrentVersion", 2), DRAFT, MESSAGE, ("VERSION_NOT_FOUND", "number", {"number": 4})],
    ),
]
# If the state isn't the expected one, its problems aren't reported: the caller has to read it first.
HIDDEN: list[tuple[str, str, dict[str, Any], list[Told]]] = [
    ("publishDraft", "ring", {"expectedDraftRevision": 99}, [stale("expectedDraftRevision", 2)]),
    (
        "createVersion",
        "ring",
        {"expectedCurrentVersion": 99, "changes": {"clusterId": None}},
        [
            stale("expectedCurrentVersion", 2),
            DRAFT,
            ("INVALID", "changes.clusterId", {"minimum": None, "maximum": None}),
        ],
    ),
]
DRY = {"createDraft", "updateDraft", "publishDraft", "createVersion", "activateVersion"}


@pytest.fixture
async def ids(ask: Ask, world: World, database: Database) -> dict[str, str]:
    """Create two jobs on a failed cluster. The first version and the draft of `ring` would form dependency cycles."""
    other = await ask.create_job(world.contributor, world, jobKey="other")
    waiting = config(world, dependencies=[{"jobId": other}])
    ring = await ask.create_job(world.contributor, world, jobKey="ring", config=waiting)
    ids = {"other": other, "ring": ring, "bare": await ask.create_job(world.contributor, world, jobKey="bare")}
    ids["pending"] = world.clusters[ClusterStatus.PENDING].id
    for name, job, values in (
        ("createVersion", "ring", {"changes": {"dependencies": None}, "idempotencyKey": "used"}),
        ("createVersion", "other", {"changes": {"dependencies": ["ring"]}}),
        ("createDraft", "ring", {"changes": {"dependencies": ["other"]}}),
    ):
        assert await told(ask, world, name, ids, job, values) == []
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(Cluster).where(Cluster.id == world.cluster.id).values(status=ClusterStatus.FAILED))
    return ids


async def told(
    ask: Ask, world: World, name: str, ids: dict[str, str], job: str, values: dict[str, Any], **more: Any
) -> list[Told]:
    query = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {TOLD} }} }}"
    sent = {"jobId": ids[job], **values, **more}
    if "changes" in sent:
        sent["changes"] = placed(ids, sent["changes"])
    answer = await ask(world.admin, query, input=sent)
    return [(each.pop("code"), ".".join(each.pop("path")), each) for each in answer[name]["userErrors"]]


def placed(ids: dict[str, str], changes: dict[str, Any]) -> dict[str, Any]:
    """Replace names by ids."""
    placed = dict(changes)
    if changes.get("clusterId"):
        placed["clusterId"] = ids[changes["clusterId"]]
    if changes.get("dependencies"):
        placed["dependencies"] = [{"jobId": ids[each]} for each in changes["dependencies"]]
    return placed


CASES = [*ALL, *HIDDEN]


@pytest.mark.parametrize(
    ("name", "job", "values", "expected"), CASES, ids=[f"{number}-{each[0]}" for number, each in enumerate(CASES)]
)
async def test_all_problems_of_an_input_are_reported_at_once(
    ask: Ask, world: World, ids: dict[str, str], name: str, job: str, values: dict[str, Any], expected: list[Told]
) -> None:
    assert await told(ask, world, name, ids, job, values) == expected
    assert await told(ask, world, name, ids, job, values) == expected
    if name in DRY:
        assert await told(ask, world, name, ids, job, values, dryRun=True) == expected


async def test_an_invalid_key_is_reported_with_the_other_problems(ask: Ask, world: World, ids: dict[str, str]) -> None:
    wanted = job_input(world, jobKey="ring", name="", idempotencyKey="k" * 256)

    answer = await ask(
        world.contributor,
        f"mutation ($input: CreateJobInput!) {{ createJob(input: $input) {{ {TOLD} }} }}",
        input=wanted,
    )

    assert [(each["code"], ".".join(each["path"])) for each in answer["createJob"]["userErrors"]] == [
        ("INVALID", "idempotencyKey"),
        ("CLUSTER_NOT_ACTIVE", "config.clusterId"),
        ("INVALID", "name"),
        ("JOB_KEY_TAKEN", "jobKey"),
    ]


@pytest.mark.parametrize("key", ["", "k", "used"])
async def test_without_permission_only_that_is_reported(ask: Ask, world: World, ids: dict[str, str], key: str) -> None:
    query = f"mutation ($input: PublishDraftInput!) {{ publishDraft(input: $input) {{ {TOLD} }} }}"
    wrong = {"jobId": ids["ring"], "idempotencyKey": key, "expectedDraftRevision": 99, "message": LONG}

    for member, code in ((world.outsider, "JOB_NOT_FOUND"), (world.viewer, "FORBIDDEN")):
        answer = await ask(member, query, input=wrong)
        assert answer["publishDraft"]["userErrors"] == [{"code": code, "path": ["jobId"]}]


async def test_a_replay_ignores_later_changes_of_the_job(ask: Ask, world: World, ids: dict[str, str]) -> None:
    assert (
        await told(
            ask, world, "createVersion", ids, "ring", {"changes": {"dependencies": None}, "idempotencyKey": "used"}
        )
        == []
    )
