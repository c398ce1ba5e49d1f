"""The schema has the types of the API's contract, and the committed SDL is current."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import graphql
import pytest
from graphql import is_introspection_type, is_required_input_field
from strawberry.utils.str_converters import to_snake_case

from mainsheet.executor import core_schema
from mainsheet.resolvers.write import COMMANDS
from mainsheet.schema.api import api
from mainsheet.server.operations import sdl

SCHEMA = core_schema(api)
TYPES = {name: each for name, each in SCHEMA.type_map.items() if not is_introspection_type(each)}
OBJECTS = {name: each for name, each in TYPES.items() if isinstance(each, graphql.GraphQLObjectType)}
INPUTS = {name: each for name, each in TYPES.items() if isinstance(each, graphql.GraphQLInputObjectType)}
CONNECTIONS = [name for name in OBJECTS if name.endswith("Connection")]
MUTATIONS = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}

PAGING = "limit page first after last before sortDirection"
CONFIG = "schedule dependencies compute environment maxRetries retryDelaySeconds timeoutSeconds"
SURFACE = {
    "Query": "me organization node nodes job jobByKey jobs events team teams cluster clusters"
    " member members serviceAccount serviceAccounts accessTokens",
    "Viewer": "id actor organization teams jobs tokens",
    "Job": "id jobKey name description tags status revision createdAt createdBy updatedAt updatedBy currentVersion"
    " activatedAt draft version versions teams dependents latestRun runs events viewerPermissions",
    "JobTeamEdge": "grantedAt grantedBy",
    "TeamEdge": "viewerRole",
    "MemberTeamEdge": "role",
    "TeamMemberEdge": "role",
    "TeamServiceAccountEdge": "role",
    "JobVersion": "id job number status basedOn message revision cluster source createdAt"
    f" createdBy publishedAt publishedBy changes input {CONFIG}",
    "JobSchedule": "cron timezone description concurrencyPolicy maxConcurrentRuns missedSchedulePolicy nextFireTimes",
    "JobDependency": "id job jobKey condition isDeleted",
    "ConfigChange": "path kind before after",
    "Team": "id name description members serviceAccounts jobs",
    "Cluster": "id name region status jobs",
    "Actor": "id displayName organizationRole status teams revision externalId managedBy",
    "Member": "id name email",
    "ServiceAccount": "id name",
    "JobRun": "id job version versionNumber status trigger attempt parameters message progressPercent availableAt"
    " leaseExpiresAt createdAt scheduledFor startedAt finishedAt durationSeconds error logUrl triggeredBy"
    " cancelRequestedAt cancelRequestedBy",
    "SavedQuery": "id name sql",
    "Event": "id cursor action occurredAt actor subject subjectId subjectLabel job fromVersion fromVersionNumber"
    " toVersion toVersionNumber message changes",
    "EventFilter": "actions jobIds subjectIds actorIds teamIds since until",
    "Mutation": "createJob updateJob deleteJob createDraft updateDraft discardDraft publishDraft createVersion"
    " activateVersion addTeamsToJob removeTeamFromJob triggerRun releaseRun cancelRun deleteRun createScheduledRuns"
    " claimRuns reportRuns",
    "UserError": "code message path",
    "CreateJobInput": "jobKey! name! description tags teamIds! config! message dryRun idempotencyKey",
    "UpdateJobInput": "jobId! name description tags status message expectedJobRevision",
    "DeleteJobInput": "jobId! expectedJobRevision force",
    "CreateDraftInput": "jobId! changes fromVersion message dryRun idempotencyKey",
    "CloneJobInput": "jobId! versionNumber jobKey! name! description tags teamIds! message dryRun idempotencyKey",
    "UpdateDraftInput": "jobId! changes! message expectedDraftRevision dryRun",
    "DiscardDraftInput": "jobId! message expectedDraftRevision dryRun",
    "PublishDraftInput": "jobId! message expectedDraftRevision expectedCurrentVersion dryRun idempotencyKey",
    "CreateVersionInput": "jobId! changes! message expectedCurrentVersion dryRun idempotencyKey",
    "ActivateVersionInput": "jobId! number! discardDraft message expectedCurrentVersion expectedDraftRevision dryRun",
    "AddTeamsToJobInput": "jobId! teamIds!",
    "RemoveTeamFromJobInput": "jobId! teamId!",
    "JobConfigInput": f"clusterId! source! {CONFIG}",
    "JobConfigChangesInput": f"clusterId source removeDependencyIds {CONFIG}",
    "JobSourceInput": "savedQueries sqlSnapshot pythonWheel pythonFile",
    "JobScheduleInput": "cron! timezone concurrencyPolicy maxConcurrentRuns missedSchedulePolicy",
    "JobDependencyInput": "jobId! condition",
    "JobRunFilter": "statuses jobIds clusterIds since until scheduledSince scheduledUntil",
    "JobFilter": "search statuses teamIds clusterIds tagsAllOf tagsAnyOf hasDraft hasSchedule sourceKinds"
    " latestRunStatuses createdByIds updatedByIds createdSince updatedSince ids keys",
}
ENUMS = {
    "JobSortField": "JOB_KEY NAME CREATED_AT UPDATED_AT LATEST_RUN_AT",
    "SortDirection": "ASC DESC",
    "JobPermission": "VIEW EDIT RUN MANAGE_TEAMS DELETE",
    "ChangeKind": "ADDED CHANGED REMOVED",
    "UserErrorCode": "JOB_NOT_FOUND DRAFT_NOT_FOUND VERSION_NOT_FOUND TEAM_NOT_FOUND CLUSTER_NOT_FOUND"
    " SAVED_QUERY_NOT_FOUND FORBIDDEN INVALID DRAFT_EXISTS VERSION_NOT_PUBLISHED CLUSTER_NOT_ACTIVE TEAM_REQUIRED"
    " JOB_KEY_TAKEN STALE_REVISION DEPENDENCY_CYCLE DEPENDENCY_ON_ITSELF DEPENDENCY_NOT_FOUND JOB_HAS_DEPENDENTS"
    " IDEMPOTENCY_KEY_REUSED RUN_NOT_FOUND RUN_FINISHED RUN_NOT_FINISHED RUN_LEASE_LOST RUN_NOT_READY"
    " SCOPE_MISSING MEMBER_NOT_FOUND ACTOR_NOT_FOUND TOKEN_NOT_FOUND ACTOR_DISABLED LAST_ADMINISTRATOR EMAIL_TAKEN"
    " NAME_TAKEN EXTERNAL_ID_TAKEN TEAM_IN_USE CLUSTER_IN_USE SAVED_QUERY_IN_USE"
    " WEBHOOK_NOT_FOUND WEBHOOK_DELIVERY_NOT_FOUND URL_NOT_ALLOWED QUOTA_EXCEEDED",
}
ARGUMENTS = {
    **{f"{owner}.jobs": f"{PAGING} sortBy filter" for owner in ("Query", "Viewer", "Team", "Cluster")},
    "Job.versions": PAGING,
    "Job.version": "number",
    "Job.runs": f"{PAGING} filter",
    "JobVersion.changes": "since",
    "JobSchedule.nextFireTimes": "count after",
}
PAYLOADS = {
    "createJob updateJob addTeamsToJob removeTeamFromJob": "job userErrors",
    "deleteJob": "deletedJobId cancelledRuns userErrors",
    "createDraft updateDraft": "draft job userErrors",
    "discardDraft": "job discardedNumber userErrors",
    "publishDraft createVersion activateVersion": "version job userErrors",
    "createTeam updateTeam setTeamRole removeFromTeam": "team userErrors",
    "createMember updateMember disableMember enableMember eraseMember": "member userErrors",
    "createServiceAccount updateServiceAccount disableServiceAccount enableServiceAccount": "serviceAccount userErrors",
    "createAccessToken": "token secret userErrors",
    "revokeAccessToken": "token userErrors",
    "createCluster updateCluster": "cluster userErrors",
    "createSavedQuery updateSavedQuery": "savedQuery userErrors",
    "deleteTeam": "deletedTeamId userErrors",
    "deleteCluster": "deletedClusterId userErrors",
    "deleteSavedQuery": "deletedSavedQueryId userErrors",
}
FIXED = {
    "JobConfigChangesInput": set(),
    "UpdateJobInput": {"jobId", "message", "expectedJobRevision", "dryRun", "idempotencyKey"},
}
PARTS_WITH_ID = {"JobDependency"}  # named by its id in an input, but read with its version only
NULL_IS_HIDDEN = {"Query.nodes", "DependencyCycleError.cycle"}
NULL_IS_NO_CONDITION = {
    f"EventFilterSettings.{each}" for each in ("actions", "jobIds", "subjectIds", "actorIds", "teamIds")
}
HAVE_NO_MESSAGE = {"claimRuns", "reportRuns", "createScheduledRuns", "updateJobs"}  # whose items say more
ONCE = ("create", "clone", "apply", "trigger", "claim", "rotate", "test", "redeliver")
BY_SCHEDULED_TIME = {"createScheduledRuns"}  # the same job and time again gives the same run
SENTENCES = re.compile(r"[A-Z`](?!.*(?:[a-z`]\.[A-Z]|  |\n)).*\.")  # with a space between two of them
DEPRECATED = re.compile(r"Use `\w+`\. Removal on \d{4}-\d\d-\d\d\.")


def elements() -> Iterator[tuple[str, Any]]:
    """Yield all elements that can have a description, with their paths."""
    for name, each in TYPES.items():
        yield name, each
        members = each.values if isinstance(each, graphql.GraphQLEnumType) else getattr(each, "fields", {})
        for member, definition in members.items():
            yield f"{name}.{member}", definition
            for argument, own in getattr(definition, "args", {}).items():
                yield f"{name}.{member}({argument}:)", own


def has_default(each: Any) -> bool:
    kinds = graphql.GraphQLArgument | graphql.GraphQLInputField
    return isinstance(each, kinds) and each.default_value is not graphql.Undefined


def fields(name: str) -> Any:
    owner = TYPES[name]
    assert isinstance(owner, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType | graphql.GraphQLInputObjectType)
    return owner.fields


def paths() -> Iterator[tuple[str, Any]]:
    return ((f"{owner}.{name}", field) for owner in OBJECTS for name, field in fields(owner).items())


def test_the_committed_sdl_is_current() -> None:
    assert list(sdl.difference()) == []


def test_everything_is_described() -> None:
    assert [path for path, each in elements() if not (each.description or "").strip()] == []


def test_descriptions_are_sentences() -> None:
    told = {path: each.description for path, each in elements() if not path.startswith("__")}
    assert {path: text for path, text in told.items() if not SENTENCES.fullmatch(text)} == {}


def test_inputs_with_a_default_are_not_null() -> None:
    defaults = {path: each for path, each in elements() if has_default(each)}
    assert len(defaults) > len(CONNECTIONS)
    assert [path for path, each in defaults.items() if not graphql.is_non_null_type(each.type)] == []


def test_scalars_name_their_specification() -> None:
    scalars = [each for each in TYPES.values() if isinstance(each, graphql.GraphQLScalarType)]
    own = [each for each in scalars if not graphql.is_specified_scalar_type(each)]
    assert own
    assert [each.name for each in own if not each.specified_by_url] == []


def test_deprecations_name_a_successor_and_a_date() -> None:
    reasons = {path: each.deprecation_reason for path, each in elements() if getattr(each, "deprecation_reason", None)}
    assert {path: reason for path, reason in reasons.items() if not DEPRECATED.fullmatch(reason)} == {}


@pytest.mark.parametrize(("name", "fixed"), FIXED.items())
def test_optional_update_fields_describe_omission(name: str, fixed: set[str]) -> None:
    told = {field: each.description for field, each in fields(name).items() if field not in fixed}
    says_so = re.compile(r"Null.* Omit to keep the value\.$")
    assert {field: text for field, text in told.items() if not says_so.search(text)} == {}


@pytest.mark.parametrize("name", SURFACE)
def test_types_and_inputs_have_their_fields(name: str) -> None:
    wanted = SURFACE[name].split()
    needed = {f"{field}!" for field, each in fields(name).items() if name in INPUTS and is_required_input_field(each)}
    assert {each.rstrip("!") for each in wanted} - fields(name).keys() == set()
    assert needed == {each for each in wanted if each.endswith("!")}


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_has_its_values(name: str) -> None:
    assert set(graphql.assert_enum_type(TYPES[name]).values) == set(ENUMS[name].split())


@pytest.mark.parametrize("path", ARGUMENTS)
def test_a_field_takes_its_arguments(path: str) -> None:
    owner, field = path.split(".")
    assert set(fields(owner)[field].args) == set(ARGUMENTS[path].split())


@pytest.mark.parametrize(("mutations", "names"), PAYLOADS.items())
def test_a_mutation_takes_one_input_and_returns_its_payload(mutations: str, names: str) -> None:
    for each in mutations.split():
        own, taken = MUTATIONS[each], f"{each[0].upper()}{each[1:]}Input!"
        assert {name: str(argument.type) for name, argument in own.args.items()} == {"input": taken}
        assert str(own.type) == taken.replace("Input!", "Payload!")
        assert set(own.type.of_type.fields) == set(names.split())
        assert str(own.type.of_type.fields["userErrors"].type) == "[UserError!]!"


def test_mutations_that_create_or_trigger_take_an_idempotency_key() -> None:
    once = {each for each in MUTATIONS if each.startswith(ONCE)} - BY_SCHEDULED_TIME
    assert len(once) > len(ONCE)
    assert [each for each in once if "idempotencyKey" not in fields(f"{each[0].upper()}{each[1:]}Input")] == []


def test_mutations_by_people_take_a_message_for_the_event() -> None:
    inputs = {each: fields(f"{each[0].upper()}{each[1:]}Input") for each in MUTATIONS}
    assert {each for each, own in inputs.items() if "message" not in own} == HAVE_NO_MESSAGE


def test_the_source_is_a_union_of_four() -> None:
    kinds = ("SavedQueries", "SqlSnapshot", "PythonWheel", "PythonFile")
    source = graphql.assert_union_type(TYPES["JobSource"])
    assert {each.name for each in source.types} == {f"{kind}Source" for kind in kinds}
    assert api.execute_sync('{ __type(name: "JobSourceInput") { isOneOf } }').data == {"__type": {"isOneOf": True}}


def test_only_lists_with_hidden_items_have_nulls() -> None:
    with_nulls = NULL_IS_HIDDEN | NULL_IS_NO_CONDITION
    lists = {path: str(each.type) for path, each in paths() if "[" in str(each.type) and path not in with_nulls}
    assert {path: each for path, each in lists.items() if not re.fullmatch(r"\[\w+!\]!", each)} == {}


def test_each_type_with_an_id_is_a_node() -> None:
    nodes = {each.name for each in SCHEMA.get_possible_types(graphql.assert_interface_type(TYPES["Node"]))}
    assert {name for name, each in OBJECTS.items() if "id" in each.fields} == nodes | PARTS_WITH_ID


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_connection_has_edges_nodes_and_a_total(name: str) -> None:
    own = {field: str(each.type) for field, each in fields(name).items()}
    edge = name.replace("Connection", "Edge")
    item = str(fields(edge)["node"].type)
    own.pop("facets", None)
    assert own == {"edges": f"[{edge}!]!", "nodes": f"[{item}]!", "pageInfo": "PageInfo!", "totalCount": "Int!"}


def test_connections_have_page_and_cursor_arguments() -> None:
    taken = {path: set(each.args) for path, each in paths() if str(each.type).rstrip("!") in CONNECTIONS}
    assert len(taken) > len(CONNECTIONS)
    assert not {"limit", "page"} & taken.pop("Query.events")  # the feed grows at its end: it has cursors only
    assert [path for path, arguments in taken.items() if not arguments >= set(PAGING.split())] == []


UPDATED = {"name", "description", "status", "tags"}
MANAGED = {"name", "external_id", "managed_by"}
WEBHOOK = {"url", "description", "filter", "is_enabled"}
# What a command takes as `**values`: only what was sent, because omitted and null differ, or all of a new row.
OMITTED_IS_NOT_NULL = {
    "cloneJob": {"description", "tags"},
    "updateJob": UPDATED,
    "updateJobs": UPDATED,
    "updateOrganization": {"name"},
    **dict.fromkeys(("createTeam", "updateTeam"), MANAGED | {"description"}),
    **dict.fromkeys(("createCluster", "updateCluster"), MANAGED | {"region", "status"}),
    **dict.fromkeys(("createMember", "updateMember"), MANAGED | {"email", "organization_role"}),
    **dict.fromkeys(("createServiceAccount", "updateServiceAccount"), MANAGED | {"organization_role"}),
    "createSavedQuery": {"name", "sql"},
    "updateSavedQuery": {"name", "sql", "team_id"},
    **dict.fromkeys(("createWebhook", "updateWebhook"), WEBHOOK),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_command_takes_the_fields_of_its_input(name: str) -> None:
    run = COMMANDS[name].run
    taken = inspect.signature(run).parameters.values()
    assert run.__module__.startswith("mainsheet.resolvers.commands.")
    named = {each.name for each in taken if each.kind is each.KEYWORD_ONLY}
    sent = {to_snake_case(each) for each in fields(f"{name[0].upper()}{name[1:]}Input")}
    if items := COMMANDS[name].items:
        item = graphql.get_named_type(fields(f"{name[0].upper()}{name[1:]}Input")[items].type)
        sent = (sent - {items, "mode"}) | {to_snake_case(each) for each in fields(item.name)}
    assert named | OMITTED_IS_NOT_NULL.get(name, set()) == sent - {"dry_run", "idempotency_key"}
