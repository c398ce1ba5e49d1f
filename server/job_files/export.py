"""Reads jobs from a server as documents, without what has its default."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from mainsheet.server.job_files.document import Document, brief
from mainsheet.server.job_files.remote import Failed, Remote

PAGE = 20
JOBS = """
query ExportJobs($first: Int!, $after: String) {
  jobs(first: $first, after: $after, sortBy: JOB_KEY) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id jobKey name description tags status
      teams(first: 100) { ...Teams }
      currentVersion {
        cluster { name }
        source {
          __typename
          ... on SavedQueriesSource { queries { name } }
          ... on SqlSnapshotSource { sql origin }
          ... on PythonWheelSource { packageName entryPoint version wheelArguments: arguments }
          ... on PythonFileSource { path fileArguments: arguments }
        }
        schedule { cron timezone concurrencyPolicy maxConcurrentRuns missedSchedulePolicy }
        dependencies { jobKey isDeleted condition }
        compute { executionMode driverInstanceType executorInstanceType executorCount }
        environment { name value secretReference }
        maxRetries retryDelaySeconds timeoutSeconds
      }
    }
  }
}
fragment Teams on JobTeamConnection { pageInfo { hasNextPage endCursor } nodes { name } }
"""
TEAMS = """
query ExportTeams($jobId: ID!, $after: String) { job(id: $jobId) { teams(first: 100, after: $after) { ...Teams } } }
fragment Teams on JobTeamConnection { pageInfo { hasNextPage endCursor } nodes { name } }
"""
SOURCES = {
    "SavedQueriesSource": "savedQueries",
    "SqlSnapshotSource": "sqlSnapshot",
    "PythonWheelSource": "pythonWheel",
    "PythonFileSource": "pythonFile",
}
ALIASES = {"wheelArguments": "arguments", "fileArguments": "arguments"}


class Exported(NamedTuple):
    """A job's document, and the numbers of dependencies and teams that it can't name."""

    document: Document
    hidden: int
    deleted: int


async def jobs(remote: Remote) -> AsyncIterator[Exported]:
    """Yield all jobs that the token sees, by key."""
    after = None
    while True:
        page = (await remote.send(JOBS, first=PAGE, after=after))["jobs"]
        for job in page["nodes"]:
            yield exported({**job, "teams": await _teams(remote, job)})
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def _teams(remote: Remote, job: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of all teams. `apply` would remove those that are left out."""
    page, names = job["teams"], list[str]()
    while True:
        names += [each["name"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return names
        found = (await remote.send(TEAMS, jobId=job["id"], after=page["pageInfo"]["endCursor"]))["job"]
        if found is None:
            raise Failed(f"The job {job['jobKey']} was deleted or hidden during the export. Export again.")
        page = found["teams"]


def exported(job: Mapping[str, Any]) -> Exported:
    version = job["currentVersion"]
    dependencies = [each for each in version["dependencies"] if not each["isDeleted"]]
    config = {
        **version,
        "cluster": version["cluster"]["name"],
        "source": _source(version["source"]),
        "dependencies": [_without(each, "isDeleted") for each in dependencies if each["jobKey"]],
    }
    document = {**job, "config": config}
    hidden = sum(each["jobKey"] is None for each in dependencies)
    return Exported(brief(document), hidden, len(version["dependencies"]) - len(dependencies))


def _source(source: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = SOURCES[source["__typename"]]
    if kind == "savedQueries":
        return {kind: [each["name"] for each in source["queries"]]}
    return {kind: {ALIASES.get(name, name): each for name, each in source.items() if name != "__typename"}}


def _without(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {key: each for key, each in values.items() if key != name}
