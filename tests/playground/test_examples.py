"""Each example of the page, run as each member of the demo."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from mainsheet.demo import DEMO_MEMBERS
from tests.playground.conftest import Demo

EXAMPLES = sorted((Path(__file__).parents[2] / "playground/examples").glob("*.graphql"))
ADMIN, AUDITOR, TEAM_ADMIN, CONTRIBUTOR, VIEWER, LAGOON = (
    "admin@harbor.example",
    "auditor@harbor.example",
    "team-admin@harbor.example",
    "contributor@harbor.example",
    "viewer@harbor.example",
    "admin@lagoon.example",
)
LOOK_UP = """
query ($jobKey: String!) {
  jobByKey(jobKey: $jobKey) { id }
  jobs(limit: 1, filter: { hasDraft: false }) { nodes { id } }
  teams { nodes { id name } }
}
"""


async def variables_of(demo: Demo, email: str, example: Path) -> dict[str, Any]:
    """Replace names by ids, as the page does."""
    text = example.with_suffix(".json").read_text()
    text = re.sub(r'"<number of version (\d+)>"', r"\1", text)
    text = re.sub(r"<key of job ([^>]+)>", r"\1", text)
    for name, kind, key in re.findall(r"(<id of (job|team) ([^>]+)>)", text):
        found = (await demo.ask(email, LOOK_UP, {"jobKey": key}))["data"]
        if kind == "job":
            entity = found["jobByKey"] or found["jobs"]["nodes"][0]
        else:
            teams = found["teams"]["nodes"]
            entity = next((team for team in teams if team["name"] == key), teams[0])
        text = text.replace(name, entity["id"])
    variables: dict[str, Any] = json.loads(text)
    return variables


async def run(demo: Demo, email: str, number: int) -> dict[str, Any]:
    """Run the example's operations in order and return the data of each."""
    example = EXAMPLES[number - 1]
    query, variables = example.read_text(), await variables_of(demo, email, example)
    answers = {}
    for node in parse(query).definitions:
        if isinstance(node, OperationDefinitionNode) and node.name:
            answer = await demo.ask(email, query, variables, node.name.value)
            assert "errors" not in answer, answer
            answers[node.name.value] = answer["data"]
    return answers


def problems(answers: dict[str, Any]) -> list[str]:
    mutations = [payload for data in answers.values() for payload in data.values() if "userErrors" in (payload or {})]
    return [error["code"] for payload in mutations for error in payload["userErrors"]]


@pytest.mark.parametrize("email", DEMO_MEMBERS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_runs_as_each_member(demo: Demo, email: str, example: Path) -> None:
    answers = await run(demo, email, EXAMPLES.index(example) + 1)

    assert all(data for data in answers.values())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_begins_with_a_title_and_what_it_is_about(example: Path) -> None:
    title, *about = example.read_text().split("\n\n")[0].splitlines()

    assert re.fullmatch(r"# [A-Z][\w ]+", title)
    assert 1 <= len(about) <= 4
    assert all(line.startswith("# ") for line in about)


async def test_the_my_jobs_example_lists_the_visible_jobs(demo: Demo) -> None:
    mine = {email: (await run(demo, email, 1))["MyJobs"]["me"]["jobs"] for email in (ADMIN, VIEWER)}

    assert mine[ADMIN]["totalCount"] > mine[VIEWER]["totalCount"] > 0
    assert len(mine[ADMIN]["nodes"]) == 10


async def test_one_job_shows_its_newest_events(demo: Demo) -> None:
    shown = (await run(demo, ADMIN, 2))["OneJob"]["jobByKey"]["events"]["nodes"]

    everything = 'query { jobByKey(jobKey: "daily-sales-etl") { events { nodes { occurredAt } } } }'
    events = (await demo.ask(ADMIN, everything))["data"]["jobByKey"]["events"]["nodes"]
    newest = sorted((event["occurredAt"] for event in events), reverse=True)[:5]
    assert len(events) > len(newest)
    assert [event["occurredAt"] for event in shown] == newest


async def test_one_key_is_two_jobs_in_two_organizations(demo: Demo) -> None:
    names = {(await run(demo, email, 2))["OneJob"]["jobByKey"]["name"] for email in (ADMIN, LAGOON)}

    assert names == {"Daily sales", "Ticket sales"}


async def test_the_life_of_a_version_example_runs(demo: Demo) -> None:
    answers = await run(demo, CONTRIBUTOR, 3)

    assert problems(answers) == []
    changes = {".".join(change["path"]) for change in answers["UpdateDraft"]["updateDraft"]["draft"]["changes"]}
    assert {"maxRetries", "schedule.cron"} <= changes
    published = answers["PublishDraft"]["publishDraft"]
    assert published["version"]["number"] == published["job"]["currentVersion"]["number"]
    assert answers["RollBack"]["activateVersion"]["job"]["currentVersion"]["number"] == 1


async def test_a_viewer_gets_the_missing_permission(demo: Demo) -> None:
    assert problems(await run(demo, VIEWER, 3)) == ["FORBIDDEN"] * 4
    assert problems(await run(demo, AUDITOR, 4)) == ["FORBIDDEN"] * 2


async def test_a_team_gets_access_and_loses_it(demo: Demo) -> None:
    answers = await run(demo, ADMIN, 4)

    assert problems(answers) == []
    shared, unshared = (
        {team["name"] for team in answers[name][field]["job"]["teams"]["nodes"]}
        for name, field in (("Share", "addTeamsToJob"), ("Unshare", "removeTeamFromJob"))
    )
    assert shared - unshared == {"platform"}


async def test_a_team_admin_can_share_with_own_teams_only(demo: Demo) -> None:
    answers = await run(demo, TEAM_ADMIN, 4)

    (error,) = answers["Share"]["addTeamsToJob"]["userErrors"]
    assert (error["missingPermission"], error["team"]) == (None, {"name": "platform"})
    assert problems({"": answers["Unshare"]}) == ["TEAM_NOT_FOUND"]


async def test_all_problems_of_an_input_come_at_once(demo: Demo) -> None:
    answers = await run(demo, ADMIN, 5)

    errors = answers["ErrorsAsData"]["createVersion"]["userErrors"]
    assert {error["path"][-1] for error in errors} == {"cron", "timezone", "maxRetries", "clusterId"}
    assert problems({"": answers["OutdatedExpectation"]}) == ["STALE_REVISION"]
