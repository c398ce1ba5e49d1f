"""Jobs as code: create or change a job so that it is what a document says. Documents refer to others by name or key."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy import Select, false, select

from mainsheet.models.cluster import Cluster
from mainsheet.models.dependency_order import in_order
from mainsheet.models.errors import (
    ClusterNotFound,
    Invalid,
    JobNotFound,
    Path,
    Refused,
    SavedQueryNotFound,
    TeamNotFound,
    UserError,
)
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_version import JobVersion
from mainsheet.models.limits import NAME, storable
from mainsheet.models.roles import AccessScope, JobPermission, TeamPermission
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team
from mainsheet.resolvers.commands import job as job_commands
from mainsheet.resolvers.commands.references import references_of
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import Plan, Write, command, timed

Item = Mapping[str, Any]

DEFAULTS: Item = {
    "schedule": None,
    "dependencies": [],
    "compute": None,
    "environment": [],
    "max_retries": 0,
    "retry_delay_seconds": 0,
    "timeout_seconds": None,
}


class ApplyOutcome(StrEnum):
    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


class ApplyAnswer(TypedDict):
    job_key: str
    outcome: str
    job_id: str
    version_id: str
    event_ids: Sequence[str]


def plan(documents: Sequence[Item]) -> Plan:
    """Put documents after those that they depend on. Keys that are there twice and cycles are problems."""
    numbers = {each["job_key"]: number for number, each in reversed(list(enumerate(documents)))}
    problems: dict[int, list[UserError]] = {
        number: [Invalid(path=("job_key",), reason="Another document has this key.")]
        for number, each in enumerate(documents)
        if numbers[each["job_key"]] != number
    }
    needed = {
        number: [numbers[key] for key in _dependency_keys(each) if numbers.get(key, number) != number]
        for number, each in enumerate(documents)
    }
    order, cycles = in_order(needed)
    for cycle in cycles:
        reason = f"The documents form a cycle: {', '.join(documents[each]['job_key'] for each in cycle)}."
        problems |= {each: [Invalid(path=("config", "dependencies"), reason=reason)] for each in cycle}
    return Plan(order, problems)


@command("applyJobs", AccessScope.WRITE, items="jobs", plan=plan)
async def apply(
    write: Write,
    *,
    job_key: str,
    name: str,
    teams: Sequence[str],
    config: Mapping[str, Any],
    description: str | None = None,
    tags: Sequence[str] = (),
    status: JobStatus | None = None,
    publish: bool = True,
    message: str | None = None,
) -> ApplyAnswer:
    write.explain(message)
    write.refuse()
    row = await write.first(timed(select(_visible_key(write, job_key).scalar_subquery().label("id"))))
    job_id = None if row is None else row.id
    values = {"name": name, "description": description, "tags": tags}
    team_ids, whole = await _ids_for(write, teams, config)
    try:
        if job_id is None:
            own = values | {"job_key": job_key}
            job, version_id = await _created(write, own, team_ids, whole, message, publish=publish)
            if status not in {None, job.status}:
                job.update({"status": status}, None, write)
        else:
            job = await write.job(job_id, JobPermission.EDIT)
            version_id = await _changed(write, job, whole, message, publish=publish)
            if publish:
                await _update(write, job, values | ({} if status is None else {"status": status}), team_ids)
    except (UserError, Refused) as error:
        raise Refused(map(_in_document, [error] if isinstance(error, UserError) else error.problems)) from error
    changed = ApplyOutcome.CHANGED if write.events else ApplyOutcome.UNCHANGED
    event_ids = [each.id for each in write.events]
    return {
        "job_key": job.job_key,
        "outcome": ApplyOutcome.CREATED if job_id is None else changed,
        "job_id": job.id,
        "version_id": version_id,
        "event_ids": event_ids,
    }


async def _created(
    write: Write, values: Item, team_ids: Sequence[str], config: Item, message: str | None, *, publish: bool
) -> tuple[Job, str]:
    if not publish:
        reason = "There is no such job yet, and the first version of a job is always published: send publish: true."
        raise Invalid(path=("job_key",), reason=reason)
    job = await job_commands.created(write, values, team_ids, config, message)
    return job, job.current.id


async def _changed(write: Write, job: Job, values: Item, message: str | None, *, publish: bool) -> str:
    """Publish or draft the configuration, unless the job has it already. Return the version's id.

    A dependency on a deleted job is no difference by itself. It is removed with the next change.
    """
    draft = None if publish else job.draft
    before = (draft or job.current).config
    references = await references_of(write, before.changed(values), values, will_run=publish)
    if _without_deleted(before.changed(values, references.jobs)) == _without_deleted(before):
        return (draft or job.current).id
    deleted = [each.id for each in job.current.config.dependencies if each.is_deleted]
    changes = {**values, "remove_dependency_ids": deleted}
    if publish:
        version: JobVersion = job.create_version(changes, message, references, write)
    else:
        version = job.create_draft(changes, references, write)
    return version.id


def _without_deleted(config: JobConfig) -> Mapping[str, Any]:
    return vars(config) | {"dependencies": [each for each in config.dependencies if not each.is_deleted]}


async def _update(write: Write, job: Job, values: Item, team_ids: Sequence[str]) -> None:
    await write.session.refresh(job, ["tag_rows"])
    job.update(values, None, write)
    has = {each.team_id for each in job.teams}
    if has == set(team_ids):
        return
    await write.job(job.id, JobPermission.MANAGE_TEAMS)
    write.problems += await job_commands.team_problems_of(write, team_ids, TeamPermission.SHARE_JOBS, frozenset(has))
    write.refuse()
    job.add_teams(team_ids, write)
    for team_id in has - set(team_ids):
        job.remove_team(team_id, write)


async def _ids_for(write: Write, teams: Sequence[str], config: Item) -> tuple[Sequence[str], dict[str, Any]]:
    """Return the ids of the teams, and the configuration with ids and all defaults. Raises all problems of names."""
    cluster, given = config["cluster"], dict(config["source"])
    dependencies = config.get("dependencies", [])
    keys = {index: each["job_key"] for index, each in enumerate(dependencies)}
    job_ids = dict((await write.session.execute(_visible_keys(write, list(keys.values())))).all()) if keys else {}
    problems = write.problems
    for index, key in keys.items():
        if key not in job_ids:
            problems.append(JobNotFound(path=("config", "dependencies", str(index), "job_key"), missing_id=key))
    team_ids = await _named(write, Team, teams, ("teams",), TeamNotFound)
    (cluster_id,) = await _named(write, Cluster, [cluster], ("config", "cluster"), ClusterNotFound) or [""]
    if "saved_queries" in given:
        path = ("config", "source", "saved_queries")
        ids = await _named(write, SavedQuery, given["saved_queries"], path, SavedQueryNotFound)
        given["saved_queries"] = {"query_ids": ids}
    write.refuse()
    waiting = [{**each, "job_id": job_ids[each["job_key"]]} for each in dependencies]
    for each in waiting:
        del each["job_key"]
    rest = {name: each for name, each in config.items() if name not in {"cluster", "source", "dependencies"}}
    return team_ids, {**DEFAULTS, **rest, "cluster_id": cluster_id, "source": given, "dependencies": waiting}


async def _named(
    write: Write,
    table: type[Team | Cluster | SavedQuery],
    names: Sequence[str],
    path: Path,
    missing: type[TeamNotFound | ClusterNotFound | SavedQueryNotFound],
) -> Sequence[str]:
    """Return the ids of the rows with these names, and add a problem for each that isn't the name of one row."""
    names = [NAME.form.normal(each) for each in names]  # as they are stored
    own = table.organization_id == write.caller.organization_id
    rows = select(table.name, table.id).where(among(table.name, names), own)
    found: dict[str, list[str]] = {}
    for name, id_ in await write.session.execute(rows) if names else ():
        found.setdefault(name, []).append(id_)
    for index, name in enumerate(names):
        at = path if path[-1] == "cluster" else (*path, str(index))
        if name not in found:
            write.problems.append(missing(path=at, missing_id=name))
        elif len(found[name]) > 1:
            write.problems.append(Invalid(path=at, reason=f"{len(found[name])} have the name {name!a:.60}."))
    return [found[name][0] for name in names if name in found]


def _visible_key(write: Write, job_key: str) -> Select[str]:
    is_named = Job.job_key == job_key if storable(job_key) else false()
    return select(Job.id).where(is_named, visible(write.caller))


def _visible_keys(write: Write, job_keys: Sequence[str]) -> Select[str, str]:
    return select(Job.job_key, Job.id).where(among(Job.job_key, job_keys), visible(write.caller))


def _dependency_keys(document: Item) -> Iterator[str]:
    return (each["job_key"] for each in document["config"].get("dependencies", ()))


def _in_document(problem: UserError) -> UserError:
    """Let a problem's path name the document's field in place of the mutation's that the model knows."""
    match problem.path:
        case ("job_id",):
            problem.path = ("job_key",)
        case ("team_ids", *rest):
            problem.path = ("teams", *rest)
        case ("changes" | "config", *rest):
            problem.path = ("config", *_in_config(rest))
    return problem


def _in_config(path: Sequence[str]) -> Path:
    match path:
        case ("cluster_id",):
            return ("cluster",)
        case ("source", "saved_queries", "query_ids", *rest):
            return ("source", "saved_queries", *rest)
        case ("dependencies", index, "job_id"):
            return ("dependencies", index, "job_key")
        case ("remove_dependency_ids", *_):
            return ("dependencies",)
    return tuple(path)
