"""What is asked of each database: reads that any client sends, and one job's life for the mutations."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.growth.grown import Grown

PAGE = "nodes { id jobKey } pageInfo { endCursor hasNextPage }"
SORTS = ("CREATED_AT", "UPDATED_AT", "JOB_KEY", "NAME", "LATEST_RUN_AT")
FILTERS = {
    "statuses": "{statuses: [PAUSED]}",
    "teamIds": "{teamIds: [$team]}",
    "clusterIds": "{clusterIds: [$cluster]}",
    "hasDraft": "{hasDraft: true}",
    "hasDraft: false": "{hasDraft: false}",
    "hasSchedule": "{hasSchedule: true}",
    "hasSchedule: false": "{hasSchedule: false}",
    "tagsAnyOf": '{tagsAnyOf: ["daily"]}',
    "tagsAllOf": '{tagsAllOf: ["daily", "finance"]}',
    "sourceKinds": "{sourceKinds: [PYTHON_WHEEL]}",
    "latestRunStatuses": "{latestRunStatuses: [FAILED]}",
    "latestRunStatuses, rare": "{latestRunStatuses: [RUNNING]}",
    "latestRunStatuses, never ran": "{latestRunStatuses: [null]}",
    "createdByIds": "{createdByIds: [$author]}",
    "updatedByIds": "{updatedByIds: [$author]}",
    "ids": "{ids: [$job]}",
    "keys": "{keys: [$key]}",
    "createdSince": "{createdSince: $created}",
    "updatedSince": "{updatedSince: $since}",
    "search, common": '{search: "orders"}',
    "search, rare": "{search: $key}",
    "search, nothing": '{search: "zebra"}',
    "search, short": '{search: "or"}',
}


@dataclass(frozen=True)
class Read:
    group: str
    name: str
    query: str


def reads() -> Iterator[Read]:
    yield Read("point", "job by id", "{ job(id: $job) { name currentVersion { cluster { name } } } }")
    yield Read("point", "job by key", "{ jobByKey(jobKey: $key) { name } }")
    yield Read("point", "run by id", "{ node(id: $run) { id } }")
    yield Read("point", "a job's permissions, latest run, draft", OF_A_JOB)
    for sort in SORTS:
        for name, arguments in (
            ("first", "first: 20"),
            ("middle", f"first: 20, after: $at{sort}"),
            ("last", "last: 20"),
        ):
            yield Read("cursor", f"{name} 20 by {sort}", f"{{ jobs({arguments}, sortBy: {sort}) {{ {PAGE} }} }}")
    yield Read("number", "page 1 of 20", f"{{ jobs(limit: 20) {{ {PAGE} }} }}")
    yield Read("number", "page at nine tenths", f"{{ jobs(limit: 20, page: $deep) {{ {PAGE} }} }}")
    yield Read("total", "totalCount", "{ jobs(limit: 0) { totalCount } }")
    for name, asked in FILTERS.items():
        yield Read("filter", name, f"{{ jobs(first: 20, filter: {asked}) {{ {PAGE} }} }}")
        yield Read("total", f"totalCount, {name}", f"{{ jobs(limit: 0, filter: {asked}) {{ totalCount }} }}")
    yield from NESTED
    for name, asked in FACETS.items():
        yield Read("facet", name, f"{{ jobs(limit: 0) {{ facets {{ {name} {{ {asked} }} }} }} }}")
    for name, asked in RUN_FILTERS.items():
        yield Read("runs", name, f"{{ runs(first: 20, filter: {asked}) {{ nodes {{ id }} }} }}")
    for name, asked in EVENT_FILTERS.items():
        yield Read("events", name, f"{{ events(first: 20, filter: {asked}) {{ nodes {{ id }} }} }}")
    for name in LISTS:
        yield Read("others", f"{name}, search", f'{{ {name}(first: 20, search: "da") {{ nodes {{ id }} }} }}')
    for name, query in RELATIONS.items():
        yield Read("relation", name, query)


FACETS = {
    "statuses": "value count",
    "teams": "node { name } count",
    "clusters": "node { name } count",
    "tags": "value count",
    "latestRunStatuses": "value count",
}
RUN_FILTERS = {
    "all": "{}",
    "statuses": "{statuses: [FAILED]}",
    "statuses, rare": "{statuses: [RUNNING]}",
    "jobIds": "{jobIds: [$job]}",
    "clusterIds": "{clusterIds: [$cluster]}",
    "since": "{since: $since}",
    "scheduledSince": "{scheduledSince: $since}",
}
EVENT_FILTERS = {
    "all": "{}",
    "actions": "{actions: [VERSION_ACTIVATED]}",
    "actions, none": "{actions: [WEBHOOK_TESTED]}",
    "jobIds": "{jobIds: [$job]}",
    "subjectIds": "{subjectIds: [$job]}",
    "actorIds": "{actorIds: [$author]}",
    "actorIds, none": "{actorIds: [$team]}",
    "teamIds": "{teamIds: [$team]}",
    "teamIds, none": "{teamIds: [$job]}",
    "teamIds, actions": "{teamIds: [$team], actions: [VERSION_ACTIVATED]}",
    "since": "{since: $since}",
    "since, none": '{since: "2100-01-01T00:00:00Z"}',
    "until": "{until: $since}",
    "until, none": '{until: "1970-01-01T00:00:00Z"}',
    "since, until": "{since: $created, until: $since}",
    "since, until, none": "{since: $since, until: $since}",
}
LISTS = ("teams", "clusters", "members", "serviceAccounts", "savedQueries")
SOME_JOBS = f"(first: 20) {{ {PAGE} }}"
SOME_RUNS = "(first: 20) { nodes { id status } }"
RELATIONS = {
    "the newest events": "{ events(last: 20) { nodes { id } } }",
    "members": "{ members(first: 20) { nodes { id name } } }",
    "a team's members": "{ team(id: $team) { members(first: 20) { nodes { id } } } }",
    "a saved query's jobs": f"{{ savedQuery(id: $query) {{ jobs{SOME_JOBS} }} }}",
    "a saved query's versions": "{ savedQuery(id: $query) { versions(first: 20) { nodes { number } } } }",
    "clusters with counts of jobs": "{ clusters(first: 5) { nodes { jobCount } } }",
    "a member's jobs": f"{{ member(id: $author) {{ jobsCreated{SOME_JOBS} }} }}",
    "my jobs": f"{{ me {{ jobs{SOME_JOBS} }} }}",
    "my runs": f"{{ me {{ runs{SOME_RUNS} }} }}",
    "a cluster's runs": f"{{ cluster(id: $cluster) {{ runs{SOME_RUNS} }} }}",
    "a version's runs": f"{{ job(id: $job) {{ currentVersion {{ runs{SOME_RUNS} }} }} }}",
    "a job's dependents": f"{{ job(id: $job) {{ dependents{SOME_JOBS} }} }}",
    "a job as a document": "{ job(id: $job) { document } }",
    "webhooks with deliveries": "{ webhooks(first: 5) { nodes { deliveries(first: 20) { nodes { id } } } } }",
}
OF_A_JOB = "{ job(id: $job) { viewerPermissions latestRun { status } draft { number } } }"
NESTED = (
    Read(
        "nested",
        "20 jobs, four relations",
        """{ jobs(first: 20) { nodes { id teams { nodes { name } }
      currentVersion { cluster { name } } latestRun { status } draft { number } } } }""",
    ),
    Read(
        "nested",
        "a job's versions, runs, history",
        """{ job(id: $job) { versions(first: 5) { nodes { number } }
      runs(first: 5) { nodes { status } } events(first: 5) { nodes { action } } } }""",
    ),
    Read("nested", "a team's jobs", f"{{ team(id: $team) {{ jobs(first: 20) {{ {PAGE} }} }} }}"),
    Read("nested", "a cluster's jobs", f"{{ cluster(id: $cluster) {{ jobs(first: 20) {{ {PAGE} }} }} }}"),
    Read("nested", "5 teams, 10 jobs of each", f"{{ teams(limit: 5) {{ nodes {{ jobs(first: 10) {{ {PAGE} }} }} }} }}"),
    Read(
        "nested",
        "5 clusters, 10 jobs of each",
        f"{{ clusters(limit: 5) {{ nodes {{ jobs(first: 10) {{ {PAGE} }} }} }} }}",
    ),
)
TYPES = {
    **dict.fromkeys(("job", "run", "team", "cluster", "author", "query"), "ID!"),
    **dict.fromkeys((f"at{sort}" for sort in SORTS), "String!"),
    "key": "String!",
    "deep": "Int!",
    "since": "DateTime!",
    "created": "DateTime!",
}


def declared(query: str) -> tuple[str, list[str]]:
    """Return the document that declares the variables of the query, and their names."""
    names = [name for name in TYPES if f"${name}" in query]
    variables = ", ".join(f"${name}: {TYPES[name]}" for name in names)
    return f"query {variables and f'({variables})'} {query}", names


Input = Callable[[Grown, Mapping[str, Any]], dict[str, Any]]  # `made` has what the steps before answered


@dataclass(frozen=True)
class Step:
    """A mutation; the steps are taken in their order on one job, which is gone in the end."""

    name: str
    selection: str
    input: Input

    @property
    def query(self) -> str:
        kind = self.name[0].upper() + self.name[1:]
        answer = f"{self.selection} userErrors {{ message }}"
        return f"mutation ($input: {kind}Input!) {{ {self.name}(input: $input) {{ {answer} }} }}"


def document(grown: Grown, made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job as `applyJobs` takes it, changed."""
    config = {"cluster": grown.values["clusterName"], "source": {"sqlSnapshot": {"sql": "SELECT 2"}}}
    teams = [grown.values["teamName"]]
    return {"jobKey": f"growth-{made['number']}", "name": "Growth, applied", "teams": teams, "config": config}


def of_job(**values: Any) -> Input:
    return lambda _, made: {"jobId": made["id"], **values}


STEPS = (
    Step(
        "createJob",
        "job { id }",
        lambda grown, made: {
            "jobKey": f"growth-{made['number']}",
            "name": "Growth",
            "teamIds": [grown.values["team"]],
            "config": {
                "clusterId": grown.values["cluster"],
                "source": {"sqlSnapshot": {"sql": "SELECT 1"}},
                "dependencies": [{"jobId": grown.values["job"]}],
            },
        },
    ),
    Step("updateJob", "job { id }", of_job(name="Growth, renamed")),
    Step("createDraft", "job { id }", of_job(changes={"maxRetries": 1})),
    Step("updateDraft", "job { id }", of_job(changes={"maxRetries": 2})),
    Step("publishDraft", "job { id }", of_job(message="Once more")),
    Step("createVersion", "job { id }", of_job(changes={"maxRetries": 3})),
    Step("activateVersion", "job { id }", of_job(number=1)),
    Step("createDraft", "job { id }", of_job()),
    Step("discardDraft", "job { id }", of_job()),
    Step("addTeamsToJob", "job { id }", lambda grown, made: {"jobId": made["id"], "teamIds": [grown.values["other"]]}),
    Step("removeTeamFromJob", "job { id }", lambda grown, made: {"jobId": made["id"], "teamId": grown.values["other"]}),
    Step("updateJobs", "results { job { id } }", lambda _, made: {"jobs": [{"jobId": made["id"], "status": "PAUSED"}]}),
    Step("applyJobs", "results { job { id } }", lambda grown, made: {"jobs": [document(grown, made)]}),
    Step("triggerRun", "run { id }", of_job()),
    Step("deleteJob", "deletedJobId", of_job()),
)
