"""Who may run each provisioning mutation, with which scope, and on whose objects."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope, TeamRole
from mainsheet.resolvers.write import COMMANDS
from testbed.ask import Ask
from testbed.world import (
    World,
    caller,
    make_cluster,
    make_membership,
    make_saved_query,
    make_service_account,
    make_team,
    make_webhook,
    make_webhook_delivery,
)
from tests.api.test_dry_run import everything

Values = Mapping[str, str]
ROLES = ("admin", "auditor", "team_admin", "contributor", "viewer", "outsider")
ADMINS, TEAM_ADMINS = ("admin",), ("admin", "team_admin")
CONTRIBUTORS = ("admin", "team_admin", "contributor")

# For each mutation its input and who may run it, from the ids of existing objects by name.
MATRIX: Mapping[str, tuple[Callable[[Values], Mapping[str, Any]], tuple[str, ...]]] = {
    "createTeam": (lambda _: {"name": "new"}, ADMINS),
    "updateTeam": (lambda ids: {"teamId": ids["team"], "description": "d"}, TEAM_ADMINS),
    "deleteTeam": (lambda ids: {"teamId": ids["spare"]}, ADMINS),
    "setTeamRole": (lambda ids: {"teamId": ids["team"], "actorId": ids["account"], "role": "ADMIN"}, TEAM_ADMINS),
    "removeFromTeam": (lambda ids: {"teamId": ids["team"], "actorId": ids["viewer"]}, TEAM_ADMINS),
    "createMember": (lambda _: {"email": "new@harbor.example", "name": "New"}, ADMINS),
    "updateMember": (lambda ids: {"memberId": ids["viewer"], "name": "Viewer"}, ADMINS),
    "disableMember": (lambda ids: {"memberId": ids["viewer"]}, ADMINS),
    "enableMember": (lambda ids: {"memberId": ids["viewer"]}, ADMINS),
    "eraseMember": (lambda ids: {"memberId": ids["viewer"]}, ADMINS),
    "createServiceAccount": (lambda _: {"name": "new"}, ADMINS),
    "updateServiceAccount": (lambda ids: {"serviceAccountId": ids["account"], "name": "renamed"}, ADMINS),
    "disableServiceAccount": (lambda ids: {"serviceAccountId": ids["account"]}, ADMINS),
    "enableServiceAccount": (lambda ids: {"serviceAccountId": ids["account"]}, ADMINS),
    "createAccessToken": (lambda ids: {"name": "ci", "actorId": ids["account"]}, ADMINS),
    "createCluster": (lambda _: {"name": "new"}, ADMINS),
    "updateCluster": (lambda ids: {"clusterId": ids["cluster"], "status": "FAILED"}, ADMINS),
    "deleteCluster": (lambda ids: {"clusterId": ids["cluster"]}, ADMINS),
    "createSavedQuery": (lambda ids: {"teamId": ids["team"], "name": "new", "sql": "SELECT 1"}, CONTRIBUTORS),
    "updateSavedQuery": (lambda ids: {"savedQueryId": ids["query"], "sql": "SELECT 2"}, CONTRIBUTORS),
    "deleteSavedQuery": (lambda ids: {"savedQueryId": ids["query"]}, CONTRIBUTORS),
    "createWebhook": (lambda _: {"url": "https://hooks.example"}, ADMINS),
    "updateWebhook": (lambda ids: {"webhookId": ids["webhook"], "description": "d"}, ADMINS),
    "deleteWebhook": (lambda ids: {"webhookId": ids["webhook"]}, ADMINS),
    "rotateWebhookSecret": (lambda ids: {"webhookId": ids["webhook"]}, ADMINS),
    "testWebhook": (lambda ids: {"webhookId": ids["webhook"]}, ADMINS),
    "redeliverWebhook": (lambda ids: {"webhookId": ids["webhook"], "deliveryIds": [ids["delivery"]]}, ADMINS),
    "updateOrganization": (lambda _: {"name": "Harbour"}, ADMINS),
}
ELSEWHERE = {"revokeAccessToken"}  # tests of its own: others' tokens are hidden
NAMES_NOTHING = {
    "createTeam",
    "createMember",
    "createServiceAccount",
    "createCluster",
    "updateOrganization",
    "createWebhook",
}


@pytest.fixture
async def ids(database: Database, world: World) -> Values:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = world.organization
        webhook = await make_webhook(session, organization, world.admin)
        return {
            "webhook": webhook.id,
            "delivery": (await make_webhook_delivery(session, webhook)).id,
            "team": world.data_eng.id,
            "viewer": world.viewer.id,
            "spare": (await make_team(session, organization)).id,
            "account": (await make_service_account(session, organization)).id,
            "cluster": (await make_cluster(session, organization)).id,
            "query": (await make_saved_query(session, organization, team_id=world.data_eng.id)).id,
        }


def mutation(name: str) -> str:
    input_type = f"{name[0].upper()}{name[1:]}Input!"
    errors = "userErrors { __typename code message path ... on ScopeMissingError { missingScope } }"
    return f"mutation ($input: {input_type}) {{ {name}(input: $input) {{ __typename {errors} }} }}"


async def errors(ask: Ask, actor: Any, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ask(actor, mutation(name), input=values))[name]["userErrors"]
    return found


def test_every_provisioning_mutation_is_in_the_matrix() -> None:
    of_jobs = {name for name in COMMANDS if "Job" in name or "Draft" in name or "Version" in name or "Run" in name}

    assert {*MATRIX, *ELSEWHERE} >= COMMANDS.keys() - of_jobs


@pytest.mark.parametrize("name", MATRIX)
async def test_only_the_right_roles_may(ask: Ask, world: World, database: Database, ids: Values, name: str) -> None:
    values, allowed = MATRIX[name][0](ids), MATRIX[name][1]
    before = await everything(database)

    for role in set(ROLES) - {*allowed}:
        (error,) = await errors(ask, getattr(world, role), name, values)
        assert error["code"] == "FORBIDDEN", role
    assert await everything(database) == before

    for role in allowed[-1:]:  # the one with the fewest rights
        assert await errors(ask, getattr(world, role), name, values) == []


@pytest.mark.parametrize("name", MATRIX)
async def test_a_token_needs_the_scope(ask: Ask, world: World, database: Database, ids: Values, name: str) -> None:
    values, needed = MATRIX[name][0](ids), COMMANDS[name].scopes[0]
    before = await everything(database)

    for scopes in (set(AccessScope) - {needed}, {AccessScope.READ}, set[AccessScope]()):
        narrow = replace(caller(world.admin), scopes=frozenset(scopes))
        (error,) = await errors(ask, narrow, name, values)
        assert (error["code"], error["missingScope"]) == ("SCOPE_MISSING", needed)

    assert await everything(database) == before


@pytest.mark.parametrize("name", [name for name, (_, allowed) in MATRIX.items() if allowed != ADMINS])
async def test_administrators_need_their_scope_for_any_team(
    ask: Ask, world: World, database: Database, ids: Values, name: str
) -> None:
    values, before = MATRIX[name][0](ids), await everything(database)
    writes = frozenset({AccessScope.READ, AccessScope.WRITE})

    (error,) = await errors(ask, replace(caller(world.admin), scopes=writes), name, values)
    assert (error["code"], error["missingScope"]) == ("SCOPE_MISSING", "ADMIN")
    assert await everything(database) == before
    assert await errors(ask, replace(caller(world.team_admin), scopes=writes), name, values) == []


async def test_a_saved_query_without_a_team_needs_the_scope_admin(ask: Ask, world: World, database: Database) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        query = await make_saved_query(session, world.organization)
    writer = replace(caller(world.admin), scopes=frozenset({AccessScope.WRITE}))

    (error,) = await errors(ask, writer, "deleteSavedQuery", {"savedQueryId": query.id})

    assert (error["code"], error["missingScope"]) == ("SCOPE_MISSING", "ADMIN")


@pytest.mark.parametrize("name", sorted(MATRIX.keys() - NAMES_NOTHING))
async def test_foreign_objects_are_absent_in_the_same_words(
    ask: Ask, world: World, database: Database, ids: Values, name: str
) -> None:
    values = MATRIX[name][0](ids)
    before = await everything(database)
    absent = {key: f"{value[:2]}0" if value in ids.values() else value for key, value in values.items()}

    foreign = await errors(ask, world.foreign.admin, name, values)
    nowhere = await errors(ask, world.foreign.admin, name, absent)

    assert await everything(database) == before
    (one,), (other,) = foreign, nowhere
    assert one["code"].endswith("_NOT_FOUND")
    (hidden,) = [each for each in values.values() if f"'{each}'" in one["message"]]
    assert other | {"message": other["message"].replace(f"{hidden[:2]}0", hidden)} == one


async def test_a_query_needs_the_scope_read(ask: Ask, world: World) -> None:
    narrow = replace(caller(world.admin), scopes=frozenset({AccessScope.WRITE, AccessScope.ADMIN}))

    for query in (
        "{ organization { name } }",
        "{ me { actor { id } } }",
        "{ jobs { totalCount } }",
        '{ node(id: "X") { id } }',
    ):
        errors = await ask.errors(narrow, query)
        assert {each.extensions["code"] for each in errors if each.extensions} == {"SCOPE_MISSING"}


async def test_a_payload_is_read_with_the_scope_of_its_mutation(ask: Ask, world: World, ids: Values) -> None:
    narrow = replace(caller(world.admin), scopes=frozenset({AccessScope.ADMIN}))
    rename = "mutation ($input: UpdateClusterInput!) { updateCluster(input: $input) { cluster { name } } }"

    data = await ask(narrow, rename, input={"clusterId": ids["cluster"], "name": "renamed"})

    assert data["updateCluster"] == {"cluster": {"name": "renamed"}}


async def test_a_refused_mutation_lets_nobody_read(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    trigger = "mutation ($input: TriggerRunInput!) { triggerRun(input: $input) { run { id } } }"
    run_id = (await ask(world.contributor, trigger, input={"jobId": job_id}))["triggerRun"]["run"]["id"]
    read = "run { id job { name } } userErrors { code path }"
    cancel = f"mutation ($input: CancelRunInput!) {{ cancelRun(input: $input) {{ {read} }} }}"
    report = f"mutation ($input: ReportRunsInput!) {{ reportRuns(input: $input) {{ results {{ {read} }} }} }}"
    reports = {"reports": [{"runId": run_id, "attempt": 7, "state": "RUNNING"}]}
    too_long = {"runId": run_id, "message": "x" * 1024}

    for scopes, shown in (
        (set(AccessScope), {"id": run_id, "job": {"name": "Daily sales"}}),
        ({AccessScope.RUNS}, None),
    ):
        worker = replace(caller(world.contributor), scopes=frozenset(scopes))
        (result,) = (await ask(worker, report, input=reports))["reportRuns"]["results"]
        refused = (await ask(worker, cancel, input=too_long))["cancelRun"]

        assert result == {"run": shown, "userErrors": [{"code": "RUN_LEASE_LOST", "path": ["reports", "0", "attempt"]}]}
        assert refused == {"run": shown, "userErrors": [{"code": "INVALID", "path": ["message"]}]}


async def test_a_refusal_for_the_scope_shows_nothing(ask: Ask, world: World, ids: Values) -> None:
    narrow = replace(caller(world.admin), scopes=frozenset[AccessScope]())
    rename = "mutation ($input: UpdateClusterInput!) { updateCluster(input: $input) { cluster { name } } }"

    data = await ask(narrow, rename, input={"clusterId": ids["cluster"], "name": "renamed"})

    assert data["updateCluster"] == {"cluster": None}


async def test_a_saved_query_needs_edit_on_each_job_that_runs_it(
    ask: Ask, world: World, database: Database, ids: Values
) -> None:
    source = {"savedQueries": {"queryIds": [ids["query"]]}}
    config = {"clusterId": world.cluster.id, "source": source}
    await ask.create_job(world.admin, world, teamIds=[world.analytics.id], config=config)
    values = {"savedQueryId": ids["query"], "sql": "SELECT 2"}

    (error,) = await errors(ask, world.contributor, "updateSavedQuery", values)
    assert (error["code"], error["path"]) == ("FORBIDDEN", ["savedQueryId"])

    async with AsyncSession(database.writes) as session, session.begin():
        await make_membership(session, world.analytics, world.team_admin, TeamRole.CONTRIBUTOR)
    assert await errors(ask, world.team_admin, "updateSavedQuery", values) == []
