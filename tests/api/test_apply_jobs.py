"""Jobs as code: documents are applied by key, all or each, and applying them again changes nothing."""

from typing import Any

import pytest

from testbed.ask import Ask
from testbed.world import World

APPLY = """
mutation ($input: ApplyJobsInput!) { applyJobs(input: $input) {
  results {
    jobKey outcome job { name status tags teams { nodes { name } } draft { number } }
    version { number status maxRetries message } changes { path } userErrors { code path message }
  }
  userErrors { code path }
} }
"""
CREATE_DRAFT = """
mutation ($id: ID!, $changes: JobConfigChangesInput) {
  createDraft(input: {jobId: $id, changes: $changes}) { draft { number } }
}
"""
DELETE_JOB = "mutation ($id: ID!) { deleteJob(input: {jobId: $id}) { userErrors { code } } }"
EVENTS = "{ jobs { nodes { events { nodes { action message } } } } }"
JOBS = "{ jobs { nodes { jobKey name description currentVersion { number } draft { maxRetries } } } }"


def document(job_key: str = "daily", **values: Any) -> dict[str, Any]:
    config = {"cluster": "active", "source": {"sqlSnapshot": {"sql": "SELECT 1"}}} | values.pop("config", {})
    return {"jobKey": job_key, "name": job_key.title(), "teams": ["data-eng"], "config": config} | values


def after(*keys: str, **values: Any) -> dict[str, Any]:
    return {"dependencies": [{"jobKey": each} for each in keys], **values}


async def applied(ask: Ask, member: Any, *documents: Any, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await ask(member, APPLY, input={"jobs": documents, **options}))["applyJobs"]
    return answer


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in answer["results"]]


def errors(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["code"], ".".join(each["path"])) for one in answer["results"] for each in one["userErrors"]]


FULL: dict[str, Any] = {
    "schedule": {
        "cron": "0 6 * * *",
        "timezone": "Europe/Berlin",
        "concurrencyPolicy": "ALLOW",
        "maxConcurrentRuns": 2,
    },
    "compute": {"executionMode": "CLUSTER", "executorCount": 3},
    "environment": [{"name": "A", "value": "1"}],
    "maxRetries": 2,
    "retryDelaySeconds": 5,
    "timeoutSeconds": 60,
}


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_documents_applied_again_change_nothing(ask: Ask, world: World, mode: str) -> None:
    names = [each.name for each in world.queries[:2]]
    documents = [
        document("report", config=after("import", "clean", source={"savedQueries": names})),
        document("clean", config=after("import"), tags=["daily"], description="Cleans", status="PAUSED"),
        document("import", config=FULL),
    ]

    first = await applied(ask, world.contributor, *documents, mode=mode)
    second = await applied(ask, world.contributor, *documents, mode=mode)

    assert (outcomes(first), errors(first)) == (["CREATED"] * 3, [])
    assert [each["jobKey"] for each in first["results"]] == ["report", "clean", "import"]
    assert first["results"][1]["job"] | {"teams": None} == {
        "name": "Clean",
        "status": "PAUSED",
        "tags": ["daily"],
        "teams": None,
        "draft": None,
    }
    assert outcomes(second) == ["UNCHANGED"] * 3
    assert [each["version"]["number"] for each in second["results"]] == [1, 1, 1]
    assert [each["changes"] for each in second["results"]] == [[], [], []]


async def test_only_what_differs_is_changed(ask: Ask, world: World) -> None:
    await applied(ask, world.team_admin, document(config=FULL, tags=["daily"]))

    renamed = await applied(ask, world.team_admin, document(config=FULL, name="New", tags=["daily"], status="PAUSED"))
    reset = await applied(ask, world.team_admin, document(), message="Start afresh")
    (shared,) = (await applied(ask, world.admin, document(teams=["analytics", "platform"])))["results"]

    (job,) = renamed["results"]
    assert (job["outcome"], job["job"]["name"], job["version"]["number"]) == ("CHANGED", "New", 1)
    (job,) = reset["results"]
    assert job["job"] == {
        "name": "Daily",
        "status": "PAUSED",
        "tags": [],
        "teams": {"nodes": [{"name": "data-eng"}]},
        "draft": None,
    }
    assert job["version"] == {"number": 2, "status": "PUBLISHED", "maxRetries": 0, "message": "Start afresh"}
    assert shared["outcome"] == "CHANGED"
    assert [each["name"] for each in shared["job"]["teams"]["nodes"]] == ["analytics", "platform"]


@pytest.mark.parametrize("values", [{"name": "New"}, {"status": "PAUSED"}, {"teams": ["analytics"]}])
async def test_the_message_is_kept_with_every_change(ask: Ask, world: World, values: dict[str, Any]) -> None:
    await applied(ask, world.admin, document())

    await applied(ask, world.admin, document(**values), message="Start afresh")
    (job,) = (await ask(world.admin, EVENTS))["jobs"]["nodes"]

    *changes, created = job["events"]["nodes"]
    assert (len(changes) > 0, {each["message"] for each in changes}) == (True, {"Start afresh"})
    assert created["message"] is None


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_message_is_normalized(ask: Ask, world: World, mode: str) -> None:
    answer = await applied(ask, world.admin, document(), message="Cafe\u0301", mode=mode)

    assert [each["version"]["message"] for each in answer["results"]] == ["Caf\u00e9"]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_message_that_is_too_long_is_refused_once(ask: Ask, world: World, mode: str) -> None:
    answer = await applied(ask, world.contributor, document(), document("other"), message="x" * 1024, mode=mode)

    assert answer == {"results": [], "userErrors": [{"code": "INVALID", "path": ["message"]}]}


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_refused_document_stops_the_others_only_if_all_or_nothing(
    ask: Ask, world: World, mode: str, dry_run: bool
) -> None:
    documents = [
        document("good"),
        document("bad", name="", teams=["data-eng", "nobody"], config={"cluster": "nowhere"}),
        document("late", config=after("good"), tags=["x"]),
        document("lost", config=after("bad", "missing")),
    ]

    answer = await applied(ask, world.contributor, *documents, mode=mode, dryRun=dry_run)
    seen = [each["jobKey"] for each in (await ask(world.admin, JOBS))["jobs"]["nodes"]]

    assert errors(answer) == [
        ("TEAM_NOT_FOUND", "jobs.1.teams.1"),
        ("CLUSTER_NOT_FOUND", "jobs.1.config.cluster"),
        ("JOB_NOT_FOUND", "jobs.3.config.dependencies.0.jobKey"),
        ("JOB_NOT_FOUND", "jobs.3.config.dependencies.1.jobKey"),
    ]
    together = mode == "ALL_OR_NOTHING"
    assert outcomes(answer) == (["REFUSED"] * 4 if together else ["CREATED", "REFUSED", "CREATED", "REFUSED"])
    assert [(each["code"], ".".join(each["path"])) for each in answer["userErrors"]] == (
        errors(answer) if together else []
    )
    assert seen == ([] if together or dry_run else ["good", "late"])


async def test_a_dry_run_shows_the_changes_and_makes_none(ask: Ask, world: World) -> None:
    await applied(ask, world.contributor, document(), document("other", config={"maxRetries": 1}))
    documents = [document(config={"maxRetries": 3}), document("other", config={"maxRetries": 1}), document("third")]

    answer = await applied(ask, world.contributor, *documents, dryRun=True, mode="EACH")
    jobs = (await ask(world.admin, JOBS))["jobs"]["nodes"]

    assert outcomes(answer) == ["CHANGED", "UNCHANGED", "CREATED"]
    assert [each["version"]["maxRetries"] for each in answer["results"]] == [3, 1, 0]
    assert [each["path"] for each in answer["results"][0]["changes"]] != []
    assert [each["currentVersion"]["number"] for each in jobs] == [1, 1]


async def test_a_refusal_after_a_change_of_the_same_document_keeps_the_change_back(ask: Ask, world: World) -> None:
    await applied(ask, world.contributor, document(), document("other"))
    documents = [document(config={"maxRetries": 3}, teams=["analytics"]), document("other", name="New")]

    planned = await applied(ask, world.contributor, *documents, mode="EACH", dryRun=True)
    answer = await applied(ask, world.contributor, *documents, mode="EACH")
    jobs = (await ask(world.admin, JOBS))["jobs"]["nodes"]

    assert outcomes(planned) == outcomes(answer) == ["REFUSED", "CHANGED"]
    assert errors(answer) == [("FORBIDDEN", "jobs.0.jobKey")]
    assert [each["currentVersion"]["number"] for each in jobs] == [1, 1]
    assert [each["name"] for each in jobs] == ["Daily", "New"]


async def test_without_publication_only_a_draft_is_made(ask: Ask, world: World) -> None:
    await applied(ask, world.contributor, document())
    changed = document(name="New", config={"maxRetries": 3})

    first = await applied(ask, world.contributor, changed, document("new"), publish=False, mode="EACH")
    again = await applied(ask, world.contributor, changed, publish=False)
    other = await applied(ask, world.contributor, document(config={"maxRetries": 4}), publish=False)
    published = await applied(ask, world.contributor, changed)
    (job,) = (await ask(world.admin, JOBS))["jobs"]["nodes"]

    assert outcomes(first) == ["CHANGED", "REFUSED"]
    assert errors(first) == [("INVALID", "jobs.1.jobKey")]
    assert first["results"][0]["version"] == {"number": 2, "status": "DRAFT", "maxRetries": 3, "message": None}
    assert outcomes(again) == ["UNCHANGED"]
    assert errors(other) == errors(published) == [("DRAFT_EXISTS", "jobs.0.jobKey")]
    assert job == {
        "jobKey": "daily",
        "name": "Daily",
        "description": None,
        "currentVersion": {"number": 1},
        "draft": {"maxRetries": 3},
    }


async def test_contradictions_among_documents_are_refused(ask: Ask, world: World) -> None:
    twice = await applied(ask, world.contributor, document(), document(), document("other"), mode="EACH")
    cycle = await applied(ask, world.contributor, document("a", config=after("b")), document("b", config=after("a")))
    itself = await applied(ask, world.contributor, document("a", config=after("a")))

    assert (outcomes(twice), errors(twice)) == (["CREATED", "REFUSED", "CREATED"], [("INVALID", "jobs.1.jobKey")])
    assert errors(cycle) == [("INVALID", f"jobs.{each}.config.dependencies") for each in (0, 1)]
    assert errors(itself) == [("JOB_NOT_FOUND", "jobs.0.config.dependencies.0.jobKey")]


async def test_messages_show_no_id_that_the_document_does_not_have(ask: Ask, world: World) -> None:
    refused = [document("report", config=after("import", "import")), document("other", config={"cluster": "pending"})]

    answer = await applied(ask, world.contributor, document("import"), *refused, mode="EACH")

    assert [each["message"] for one in answer["results"] for each in one["userErrors"]] == [
        "This job is there already.",
        "The cluster is PENDING. A current version needs one that is ACTIVE.",
    ]


async def test_cycles_leave_the_order_of_other_documents(ask: Ask, world: World) -> None:
    documents = [
        document("late", config=after("early")),
        document("a", config=after("b")),
        document("b", config=after("a")),
        document("after-cycle", config=after("b", "early")),
        document("c", config=after("d")),
        document("d", config=after("c")),
        document("early"),
    ]

    answer = await applied(ask, world.contributor, *documents, mode="EACH")

    assert outcomes(answer) == ["CREATED", *["REFUSED"] * 5, "CREATED"]
    cycles = [("INVALID", f"jobs.{each}.config.dependencies") for each in (1, 2, 4, 5)]
    assert errors(answer) == [*cycles[:2], ("JOB_NOT_FOUND", "jobs.3.config.dependencies.0.jobKey"), *cycles[2:]]


async def test_names_are_found_as_they_were_sent(ask: Ask, world: World) -> None:
    name = " cafe\u0301 "  # stored in one character, without the spaces
    create = """mutation ($name: String!, $team: ID!) {
      createTeam(input: {name: $name}) { userErrors { code } }
      createCluster(input: {name: $name}) { userErrors { code } }
      createSavedQuery(input: {name: $name, sql: "SELECT 1", teamId: $team}) { userErrors { code } } }"""
    await ask(world.admin, create, name=name, team=world.data_eng.id)
    config = {"cluster": name, "source": {"savedQueries": [name]}}

    answer = await applied(ask, world.admin, document(teams=[name], config=config))

    assert (outcomes(answer), errors(answer)) == (["CREATED"], [])


async def test_texts_that_no_database_stores_name_nothing(ask: Ask, world: World) -> None:
    unknown = "a\x00b"
    config = after(unknown, cluster=unknown, source={"savedQueries": [unknown]})

    answer = await applied(ask, world.contributor, document(unknown, teams=[unknown], config=config), mode="EACH")

    assert errors(answer) == [
        ("JOB_NOT_FOUND", "jobs.0.config.dependencies.0.jobKey"),
        ("TEAM_NOT_FOUND", "jobs.0.teams.0"),
        ("CLUSTER_NOT_FOUND", "jobs.0.config.cluster"),
        ("SAVED_QUERY_NOT_FOUND", "jobs.0.config.source.savedQueries.0"),
    ]


@pytest.mark.parametrize("size", [0, 101])
async def test_a_batch_has_1_to_100_documents(ask: Ask, world: World, size: int) -> None:
    answer = await applied(ask, world.contributor, *(document(f"job-{each}") for each in range(size)))

    assert answer == {"results": [], "userErrors": [{"code": "INVALID", "path": ["jobs"]}]}


async def test_what_the_caller_cannot_see_is_kept_and_stays_hidden(ask: Ask, world: World) -> None:
    hidden = document("hidden", teams=["platform"])
    both = document(teams=["data-eng"], config=after("hidden", maxRetries=1))
    await applied(ask, world.admin, hidden, both)

    named = await applied(ask, world.contributor, both)
    same = await applied(ask, world.contributor, document(config={"maxRetries": 1}))
    taken = await applied(ask, world.contributor, document("hidden"))
    changed = await applied(ask, world.contributor, document(config={"maxRetries": 2}))
    whole = await applied(ask, world.admin, document(config=after("hidden", maxRetries=2)))

    assert errors(named) == [("JOB_NOT_FOUND", "jobs.0.config.dependencies.0.jobKey")]
    assert outcomes(same) == ["UNCHANGED"]
    assert errors(taken) == [("JOB_KEY_TAKEN", "jobs.0.jobKey")]
    assert (outcomes(changed), outcomes(whole)) == (["CHANGED"], ["UNCHANGED"])


@pytest.mark.parametrize(("member", "code"), [("viewer", "FORBIDDEN"), ("outsider", "FORBIDDEN")])
async def test_rights_are_those_of_the_single_mutations(ask: Ask, world: World, member: str, code: str) -> None:
    await applied(ask, world.contributor, document())

    answer = await applied(ask, getattr(world, member), document(config={"maxRetries": 1}))

    assert [each for each, _ in errors(answer)] == [code]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_repeated_key_gives_the_first_answer(ask: Ask, world: World, mode: str) -> None:
    documents = [document(), document("other")]
    first = await applied(ask, world.contributor, *documents, mode=mode, idempotencyKey="k")
    again = await applied(ask, world.contributor, *documents, mode=mode, idempotencyKey="k")
    reused = await applied(ask, world.contributor, document(name="Else"), mode=mode, idempotencyKey="k")

    assert outcomes(first) == outcomes(again) == ["CREATED", "CREATED"]
    assert again == first
    assert "IDEMPOTENCY_KEY_REUSED" in str(reused)


async def test_a_repeated_key_takes_the_same_statements_for_any_number_of_jobs(ask: Ask, world: World) -> None:
    counts = []
    for size in (1, 4):
        documents = [document(f"of-{size}-{number}") for number in range(size)]
        for _ in range(2):
            await applied(ask, world.contributor, *documents, mode="ALL_OR_NOTHING", idempotencyKey=f"{size}")
        counts.append(len(ask.statements))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_key_is_refused_with_another_list(ask: Ask, world: World, mode: str) -> None:
    documents = [document(), document("other")]
    await applied(ask, world.contributor, *documents, mode=mode, idempotencyKey="k")

    longer = await applied(ask, world.contributor, *documents, document("third"), mode=mode, idempotencyKey="k")
    shorter = await applied(ask, world.contributor, document(), mode=mode, idempotencyKey="k")
    other = await applied(ask, world.contributor, *documents, mode=mode, message="New", idempotencyKey="k")
    jobs = (await ask(world.admin, JOBS))["jobs"]["nodes"]

    reused = [{"code": "IDEMPOTENCY_KEY_REUSED", "path": ["idempotencyKey"]}]
    assert [each["userErrors"] for each in (longer, shorter, other)] == [reused] * 3
    assert "third" not in [each["jobKey"] for each in jobs]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_dry_run_heeds_the_key(ask: Ask, world: World, mode: str) -> None:
    options = {"mode": mode, "idempotencyKey": "k"}
    first = await applied(ask, world.contributor, document(), **options)

    again = await applied(ask, world.contributor, document(), dryRun=True, **options)
    other = await applied(ask, world.contributor, document(name="Else"), dryRun=True, **options)

    assert outcomes(first) == ["CREATED"]
    assert again == first
    assert other["userErrors"] == [{"code": "IDEMPOTENCY_KEY_REUSED", "path": ["idempotencyKey"]}]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "EACH"])
async def test_a_repeated_key_says_that_a_job_was_deleted(ask: Ask, world: World, mode: str) -> None:
    documents = [document(), document("other")]
    await applied(ask, world.contributor, *documents, mode=mode, idempotencyKey="k")
    job_id = (await ask(world.admin, '{ jobByKey(jobKey: "other") { id } }'))["jobByKey"]["id"]
    await ask(world.team_admin, DELETE_JOB, id=job_id)

    again = await applied(ask, world.contributor, *documents, mode=mode, idempotencyKey="k")

    gone = [("JOB_NOT_FOUND", "idempotencyKey")]
    assert errors(again) == (gone if mode == "EACH" else [])
    assert [(each["code"], ".".join(each["path"])) for each in again["userErrors"]] == ([] if mode == "EACH" else gone)
    assert outcomes(again) == (["CREATED", "REFUSED"] if mode == "EACH" else ["REFUSED", "REFUSED"])


async def test_refused_documents_are_tried_again_with_the_same_key(ask: Ask, world: World) -> None:
    documents = [document(), document("late", config=after("missing"))]
    first = await applied(ask, world.contributor, *documents, mode="EACH", idempotencyKey="k")
    await applied(ask, world.contributor, document("missing"))
    await applied(ask, world.contributor, document(name="Renamed since"))

    second = await applied(ask, world.contributor, *documents, mode="EACH", idempotencyKey="k")

    assert outcomes(first) == ["CREATED", "REFUSED"]
    assert outcomes(second) == ["CREATED", "CREATED"]
    assert second["results"][0]["job"]["name"] == "Renamed since"


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
@pytest.mark.parametrize("options", [{"mode": "EACH"}, {"mode": "EACH", "dryRun": True}, {"mode": "ALL_OR_NOTHING"}])
async def test_the_limits_of_a_key_hold_for_a_batch(ask: Ask, world: World, key: str, options: dict[str, Any]) -> None:
    answer = await applied(ask, world.contributor, document(), **options, idempotencyKey=key)

    assert answer == {"results": [], "userErrors": [{"code": "INVALID", "path": ["idempotencyKey"]}]}
