"""The trace of an operation's cost."""

import asyncio
from pathlib import Path

import pytest

from tests.playground.conftest import Demo

EXAMPLE = (Path(__file__).parents[2] / "playground/examples/1-my-jobs.graphql").read_text()
ADMIN = "admin@harbor.example"
TRACED = {"X-Mainsheet-Trace": "1"}
PAUSE = """
mutation ($jobId: ID!) { updateJob(input: { jobId: $jobId, status: PAUSED }) { job { teams { nodes { name } } } } }
"""
SAME_BATCH_TWICE = "{ me { actor { displayName } jobs(limit: 3) { nodes { createdBy { displayName } } } } }"


async def test_there_is_no_trace_without_the_header(demo: Demo) -> None:
    answer = await demo.ask(ADMIN, EXAMPLE)

    assert answer.keys() == {"data"}


async def test_there_is_no_trace_unless_the_settings_allow_it(no_demo: Demo) -> None:
    answer = await no_demo.ask(ADMIN, EXAMPLE, **TRACED)

    assert answer.keys() == {"data"}


async def test_the_trace_lists_fields_keys_and_sql(demo: Demo) -> None:
    answer = await demo.ask(ADMIN, EXAMPLE, {"limit": 7}, **TRACED)

    by_fields = {tuple(each["fields"]): each for each in answer["extensions"]["cost"]["statements"]}
    teams = by_fields["me.jobs.nodes.teams",]
    assert (teams["level"], teams["keys"]) == (2, 7)
    assert "JOIN job_team" in teams["sql"]
    assert "FROM job" in by_fields["me.jobs",]["sql"]


async def test_the_trace_has_the_estimate_and_the_limits(demo: Demo) -> None:
    answer = await demo.ask(ADMIN, "{ jobs(limit: 10) { nodes { name } } }", **TRACED)

    cost = answer["extensions"]["cost"]
    assert (cost["depth"], cost["fields"], cost["cost"]) == (3, 3, 21)
    assert cost["limits"] == {"depth": 20, "fields": 2000, "cost": 1_000_000}


async def test_the_trace_has_the_actual_cost_and_the_rest(demo: Demo) -> None:
    answer = await demo.ask(ADMIN, "{ jobs(limit: 100) { nodes { name } } }", **TRACED)

    cost = answer["extensions"]["cost"]
    assert (cost["cost"], cost["actual"]) == (201, 1 + 2 * len(answer["data"]["jobs"]["nodes"]))
    assert cost["databaseMilliseconds"] == pytest.approx(sum(each["milliseconds"] for each in cost["statements"]), 0.01)
    assert cost["budget"].keys() == {"points", "databaseSeconds"}


async def test_a_batch_called_at_two_levels_is_listed_twice(demo: Demo) -> None:
    answer = await demo.ask(ADMIN, SAME_BATCH_TWICE, **TRACED)

    statements = answer["extensions"]["cost"]["statements"]
    asking = [(each["level"], each["fields"]) for each in statements if "FROM actor" in each["sql"]]
    assert asking == [(1, ["me.actor"]), (2, ["me.jobs.nodes.createdBy"])]


async def test_the_trace_of_a_mutation_has_its_writes(demo: Demo) -> None:
    found = await demo.ask(ADMIN, '{ jobByKey(jobKey: "stock-snapshot") { id } }')

    answer = await demo.ask(ADMIN, PAUSE, {"jobId": found["data"]["jobByKey"]["id"]}, **TRACED)

    statements = answer["extensions"]["cost"]["statements"]
    assert any(each["sql"].startswith("UPDATE job ") and each["level"] == 0 for each in statements)
    assert any(each["fields"] == ["updateJob.job.teams"] for each in statements)


async def test_concurrent_operations_have_separate_traces(demo: Demo) -> None:
    answers = [demo.ask(ADMIN, query, **TRACED) for query in (EXAMPLE, "{ me { actor { displayName } } }")]
    _, small = await asyncio.gather(*answers)

    assert [each["fields"] for each in small["extensions"]["cost"]["statements"]] == [["me.actor"]]
