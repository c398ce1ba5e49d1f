"""Administrators provision teams, members, service accounts, clusters and saved queries by the API."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope, OrganizationRole
from testbed.ask import Ask
from testbed.world import World, caller, make_member, make_service_account
from tests.api.test_dry_run import everything

SHOWN = {
    "Team": "team { id name description revision externalId managedBy members { edges { role node { name } } } }",
    "Member": "member { id name email status organizationRole revision teams { edges { role node { name } } } }",
    "ServiceAccount": "serviceAccount { id name status organizationRole revision }",
    "Cluster": "cluster { id name region status revision }",
    "SavedQuery": "savedQuery { id name sql revision team { name } createdBy { displayName }"
    " updatedBy { displayName } }",
    "AccessToken": "token { id name scopes expiresAt actor { id } createdBy { id } } secret",
}
ERRORS = """userErrors { __typename code message path ... on StaleRevisionError { expected actual }
  ... on TeamInUseError { jobs { jobKey } hiddenCount } ... on ClusterInUseError { jobs { jobKey } hiddenCount }
  ... on SavedQueryInUseError { jobs { jobKey } hiddenCount } }"""
EVENTS = "{ events(last: 1, sortDirection: ASC) { nodes { action subjectId subjectLabel message changes { path } } } }"
TOKENS = (
    "{ me { tokens { nodes { name } } } accessTokens { totalCount nodes { name revokedAt actor { displayName } } } }"
)


async def run(ask: Ask, actor: Any, name: str, /, **values: Any) -> dict[str, Any]:
    noun = next((each for each in SHOWN if name.endswith(each)), "Team" if "Team" in name else "")
    shown = "token { id revokedAt }" if name == "revokeAccessToken" else SHOWN[noun]
    shown = f"deleted{noun}Id" if name.startswith("delete") else shown
    input_type = f"{name[0].upper()}{name[1:]}Input!"
    query = f"mutation ($input: {input_type}) {{ {name}(input: $input) {{ {shown} {ERRORS} }} }}"
    answer: dict[str, Any] = (await ask(actor, query, input=values))[name]
    return answer


async def done(ask: Ask, actor: Any, name: str, /, **values: Any) -> Any:
    """Return the object of a mutation that isn't refused."""
    answer = await run(ask, actor, name, **values)
    assert answer.pop("userErrors") == []
    return next(iter(answer.values()))


async def refused(ask: Ask, actor: Any, name: str, /, **values: Any) -> dict[str, Any]:
    """Return the only error of a mutation that is refused."""
    (error,) = (await run(ask, actor, name, **values))["userErrors"]
    return dict(error)


async def event(ask: Ask, world: World) -> Mapping[str, Any]:
    newest: Mapping[str, Any] = (await ask(world.admin, EVENTS))["events"]["nodes"][0]
    return newest


async def test_a_repeated_key_creates_one_token_and_shows_its_secret_once(
    ask: Ask, world: World, database: Database
) -> None:
    first = await run(ask, world.viewer, "createAccessToken", name="laptop", idempotencyKey="k")
    again = await run(ask, world.viewer, "createAccessToken", name="laptop", idempotencyKey="k")
    reused = await refused(ask, world.viewer, "createAccessToken", name="desktop", idempotencyKey="k")

    assert first["secret"].startswith("mst_")
    assert again == {**first, "secret": None}
    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert first["secret"] not in str(await everything(database))


async def test_a_team_is_created_changed_and_deleted(ask: Ask, world: World) -> None:
    team = await done(ask, world.admin, "createTeam", name=" finance ", externalId="f-1", managedBy="okta")
    assert (team["name"], team["revision"], team["externalId"], team["managedBy"]) == ("finance", 1, "f-1", "okta")

    changed = await done(ask, world.admin, "updateTeam", teamId=team["id"], description="Money", externalId=None)
    assert (changed["description"], changed["revision"], changed["externalId"]) == ("Money", 2, None)

    deleted = await done(ask, world.admin, "deleteTeam", teamId=team["id"], message="unused")
    assert deleted == team["id"]
    newest = await event(ask, world)
    assert (newest["action"], newest["subjectId"], newest["message"]) == ("TEAM_DELETED", team["id"], "unused")


async def test_roles_in_a_team_are_set_changed_and_removed(ask: Ask, world: World) -> None:
    ids = {"teamId": world.platform.id, "actorId": world.outsider.id}
    for role in ("VIEWER", "ADMIN"):
        team = await done(ask, world.admin, "setTeamRole", **ids, role=role)
        assert team["members"]["edges"] == [{"role": role, "node": {"name": "outsider"}}]
        newest = await event(ask, world)
        assert newest["action"] == "TEAM_ROLE_SET"
        assert [world.outsider.id in each["path"] for each in newest["changes"]] == [True]

    team = await done(ask, world.admin, "removeFromTeam", **ids)
    assert team["members"]["edges"] == []
    assert (await refused(ask, world.admin, "removeFromTeam", **ids))["code"] == "ACTOR_NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("createTeam", {"name": "data-eng"}),
        ("createCluster", {"name": "active"}),
        ("createServiceAccount", {"name": "deployer"}),
    ],
)
async def test_a_name_is_unique_in_the_organization(
    ask: Ask, world: World, database: Database, name: str, values: dict[str, str]
) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await make_service_account(session, world.organization, name="deployer")
    before = await everything(database)

    error = await refused(ask, world.admin, name, **values)
    assert (error["code"], error["path"]) == ("NAME_TAKEN", ["name"])
    assert await everything(database) == before
    assert (await run(ask, world.foreign.admin, name, **values))["userErrors"] == []


async def test_emails_and_external_ids_are_unique_in_the_organization(ask: Ask, world: World) -> None:
    new = {"email": "ADMIN@harbor.example", "name": "Twin", "externalId": "1"}
    error = await refused(ask, world.admin, "createMember", **new)
    assert (error["code"], error["path"]) == ("EMAIL_TAKEN", ["email"])

    elsewhere = await done(ask, world.foreign.admin, "createMember", **new)
    assert elsewhere["email"] == "admin@harbor.example"
    await done(ask, world.admin, "createServiceAccount", name="a", externalId="1")
    error = await refused(ask, world.admin, "createMember", **new | {"email": "twin@harbor.example"})
    assert (error["code"], error["path"]) == ("EXTERNAL_ID_TAKEN", ["externalId"])
    assert error["message"] == "Another member or service account of the organization has the external id '1'."


async def test_a_member_is_created_with_teams(ask: Ask, world: World) -> None:
    teams = [{"teamId": world.data_eng.id, "role": "CONTRIBUTOR"}]
    member = await done(ask, world.admin, "createMember", email="new@harbor.example", name="New", teams=teams)

    assert member["teams"]["edges"] == [{"role": "CONTRIBUTOR", "node": {"name": "data-eng"}}]
    assert (member["status"], member["organizationRole"], member["revision"]) == ("ACTIVE", "MEMBER", 1)
    foreign = [{"teamId": world.foreign.team.id, "role": "VIEWER"}]
    error = await refused(ask, world.admin, "createMember", email="x@harbor.example", name="X", teams=foreign)
    assert (error["code"], error["path"]) == ("TEAM_NOT_FOUND", ["teams", "0", "teamId"])


@pytest.mark.parametrize("email", ["", "nobody", "a b@x", "é@harbor.example", "n" * 255 + "@x", "@x", "x@"])
async def test_an_invalid_email_is_refused(ask: Ask, world: World, email: str) -> None:
    error = await refused(ask, world.admin, "createMember", email=email, name="New")
    assert (error["code"], error["path"]) == ("INVALID", ["email"])


async def test_an_expected_revision_that_differs_is_refused(ask: Ask, world: World, database: Database) -> None:
    await done(ask, world.admin, "updateCluster", clusterId=world.cluster.id, region=None)
    before = await everything(database)

    ids = {"clusterId": world.cluster.id, "expectedRevision": 1}
    error = await refused(ask, world.admin, "updateCluster", **ids, name="late")

    assert (error["code"], error["expected"], error["actual"]) == ("STALE_REVISION", 1, 2)
    assert await everything(database) == before
    assert (await done(ask, world.admin, "updateCluster", **ids | {"expectedRevision": 2}, name="new"))["revision"] == 3


async def test_equal_values_change_nothing(ask: Ask, world: World, database: Database) -> None:
    before = await everything(database)

    cluster = await done(ask, world.admin, "updateCluster", clusterId=world.cluster.id, name="active")

    assert cluster["revision"] == 1
    assert await everything(database) == before


async def test_a_dry_run_changes_nothing(ask: Ask, world: World, database: Database) -> None:
    before = await everything(database)

    team = await done(ask, world.admin, "createTeam", name="finance", dryRun=True)

    assert team["name"] == "finance"
    assert await everything(database) == before


async def test_an_idempotency_key_creates_once(ask: Ask, world: World) -> None:
    new = {"name": "finance", "idempotencyKey": "k"}

    first, second = [await done(ask, world.admin, "createTeam", **new) for _ in range(2)]

    assert first["id"] == second["id"]


async def test_what_jobs_use_cant_be_deleted(ask: Ask, world: World, database: Database) -> None:
    query = await done(ask, world.admin, "createSavedQuery", teamId=world.data_eng.id, name="q", sql="SELECT 1")
    source = {"savedQueries": {"queryIds": [query["id"]]}}
    config = {"clusterId": world.cluster.id, "source": source}
    await ask.create_job(world.admin, world, jobKey="seen", config=config)
    await ask.create_job(world.admin, world, jobKey="other", teamIds=[world.platform.id], config=config)
    before = await everything(database)

    for name, noun in (("Team", "data_eng"), ("Cluster", "cluster")):
        ids = {f"{name[0].lower()}{name[1:]}Id": getattr(world, noun).id}
        error = await refused(ask, world.admin, f"delete{name}", **ids)
        keys = ["seen"] if name == "Team" else ["other", "seen"]
        assert (error["code"], [each["jobKey"] for each in error["jobs"]]) == (f"{name.upper()}_IN_USE", keys)
    error = await refused(ask, world.admin, "deleteSavedQuery", savedQueryId=query["id"])
    assert (error["code"], len(error["jobs"]), error["hiddenCount"]) == ("SAVED_QUERY_IN_USE", 2, 0)
    assert await everything(database) == before


async def test_a_saved_query_has_authors(ask: Ask, world: World) -> None:
    new = {"teamId": world.data_eng.id, "name": "q", "sql": "SELECT 1"}
    query = await done(ask, world.contributor, "createSavedQuery", **new)

    changed = await done(ask, world.team_admin, "updateSavedQuery", savedQueryId=query["id"], sql="SELECT 2")

    assert (changed["sql"], changed["revision"], changed["team"]) == ("SELECT 2", 2, {"name": "data-eng"})
    authors = changed["createdBy"]["displayName"], changed["updatedBy"]["displayName"]
    assert authors == ("contributor", "team_admin")
    assert await done(ask, world.contributor, "deleteSavedQuery", savedQueryId=query["id"]) == query["id"]


@pytest.mark.parametrize(
    ("name", "values"),
    [("disableMember", {}), ("eraseMember", {}), ("updateMember", {"organizationRole": "AUDITOR"})],
)
async def test_the_last_administrator_stays(
    ask: Ask, world: World, database: Database, name: str, values: dict[str, str]
) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        role = OrganizationRole.ADMIN
        second = await make_member(session, world.organization, name="second", organization_role=role)
        await make_service_account(session, world.organization, organization_role=role)  # doesn't count
    await done(ask, world.admin, "disableMember", memberId=second.id)

    error = await refused(ask, world.admin, name, memberId=world.admin.id, **values)
    assert (error["code"], error["path"]) == ("LAST_ADMINISTRATOR", ["memberId"])

    await done(ask, world.admin, "enableMember", memberId=second.id)
    await done(ask, world.admin, name, memberId=world.admin.id, **values)


async def test_an_erased_member_keeps_no_name(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await done(ask, world.admin, "updateMember", memberId=world.contributor.id, name="Jonas Weber")

    member = await done(ask, world.admin, "eraseMember", memberId=world.contributor.id)

    assert (member["name"], member["status"]) == ("Erased member", "DISABLED")
    assert member["email"] == f"{world.contributor.id.lower()}@erased.invalid"
    assert member["teams"]["edges"] == []
    assert "Jonas" not in str(await everything(database))
    author = (await ask(world.admin, f'{{ job(id: "{job_id}") {{ createdBy {{ displayName }} }} }}'))["job"]
    assert author == {"createdBy": {"displayName": "Erased member"}}


async def test_a_token_of_ones_own_shows_its_secret_once(ask: Ask, world: World, database: Database) -> None:
    answer = await run(ask, world.viewer, "createAccessToken", name="laptop")

    assert answer["secret"].startswith("mst_")
    assert answer["secret"] not in str(await everything(database))
    token = answer["token"]
    assert (token["scopes"], token["actor"]) == (["READ", "WRITE"], {"id": world.viewer.id})
    lifetime = datetime.fromisoformat(token["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=89) < lifetime <= timedelta(days=90)


async def test_a_token_is_within_the_calling_token(ask: Ask, world: World) -> None:
    end = datetime.now(UTC) + timedelta(days=1)
    scopes = frozenset({AccessScope.READ, AccessScope.WRITE})
    narrow = replace(caller(world.admin), scopes=scopes, token_expires_at=end)

    for values, path in (
        ({"scopes": ["READ", "ADMIN"]}, ["scopes", "1"]),
        ({"expiresInSeconds": 2 * 86_400}, ["expiresInSeconds"]),
        ({"expiresInSeconds": 90 * 86_400}, ["expiresInSeconds"]),  # as long as the default
        ({"expiresInSeconds": None}, ["expiresInSeconds"]),
    ):
        error = await refused(ask, narrow, "createAccessToken", name="t", **values)
        assert (error["code"], error["path"]) == ("SCOPE_MISSING", path)
    token = await done(ask, narrow, "createAccessToken", name="t")
    assert datetime.fromisoformat(token["expiresAt"]) == end


async def test_only_administrators_create_tokens_without_end(ask: Ask, world: World) -> None:
    error = await refused(ask, world.viewer, "createAccessToken", name="t", expiresInSeconds=None)
    assert (error["code"], error["path"]) == ("FORBIDDEN", ["expiresInSeconds"])

    assert (await done(ask, world.admin, "createAccessToken", name="t", expiresInSeconds=None))["expiresAt"] is None


@pytest.mark.parametrize(
    ("values", "path"), [({"expiresInSeconds": 59}, "expiresInSeconds"), ({"scopes": []}, "scopes")]
)
async def test_a_token_over_its_limits_is_refused(ask: Ask, world: World, values: dict[str, Any], path: str) -> None:
    error = await refused(ask, world.admin, "createAccessToken", name="t", **values)
    assert (error["code"], error["path"]) == ("INVALID", [path])


async def test_tokens_of_members_are_their_own(ask: Ask, world: World, database: Database) -> None:
    error = await refused(ask, world.admin, "createAccessToken", name="t", actorId=world.viewer.id)
    assert (error["code"], error["path"]) == ("INVALID", ["actorId"])

    own = await done(ask, world.viewer, "createAccessToken", name="laptop")
    error = await refused(ask, world.contributor, "revokeAccessToken", accessTokenId=own["id"])
    absent = await refused(ask, world.contributor, "revokeAccessToken", accessTokenId="AT0")
    assert error == absent | {"message": absent["message"].replace("AT0", own["id"])}
    assert await ask(world.contributor, TOKENS) == {
        "me": {"tokens": {"nodes": []}},
        "accessTokens": {"totalCount": 0, "nodes": []},
    }


async def test_an_administrator_lists_and_revokes_all_tokens(ask: Ask, world: World) -> None:
    own = await done(ask, world.viewer, "createAccessToken", name="laptop")
    (listed,) = (await ask(world.admin, TOKENS))["accessTokens"]["nodes"]
    assert listed == {"name": "laptop", "revokedAt": None, "actor": {"displayName": "viewer"}}

    revoked = await done(ask, world.admin, "revokeAccessToken", accessTokenId=own["id"])
    again = await done(ask, world.admin, "revokeAccessToken", accessTokenId=own["id"])

    assert revoked["revokedAt"] is not None
    assert again == revoked


async def test_a_token_of_a_disabled_service_account_is_refused(ask: Ask, world: World) -> None:
    account = await done(ask, world.admin, "createServiceAccount", name="deployer")
    await done(ask, world.admin, "disableServiceAccount", serviceAccountId=account["id"])

    error = await refused(ask, world.admin, "createAccessToken", name="t", actorId=account["id"])
    assert error["code"] == "ACTOR_DISABLED"

    await done(ask, world.admin, "enableServiceAccount", serviceAccountId=account["id"])
    token = await done(ask, world.admin, "createAccessToken", name="t", actorId=account["id"], scopes=["RUNS"])
    assert (token["actor"], token["createdBy"]) == ({"id": account["id"]}, {"id": world.admin.id})


async def test_a_saved_query_is_found_by_id_in_its_organization(ask: Ask, world: World) -> None:
    query = "query ($id: ID!) { savedQuery(id: $id) { id name } }"

    own, ids = world.queries[0], [world.queries[0].id, world.foreign.query.id, "SQ0"]

    found = [(await ask(world.outsider, query, id=each))["savedQuery"] for each in ids]

    assert found == [{"id": own.id, "name": own.name}, None, None]
