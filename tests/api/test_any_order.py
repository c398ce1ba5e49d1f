"""Random mutations and queries: responses and visible state equal those of the jobs in memory."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job as JobRow
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.member import Member
from testbed.ask import Ask
from testbed.world import World
from tests.api.any_steps import steps_of_a_life
from tests.api.jobs_in_memory import Job, Jobs, Version

NOBODY = "JB00000000000000ZZZZ"
SHAPE = """
fragment Shape on Job {
  jobKey name status revision currentVersion { number } draft { ...Version } versions { nodes { ...Version } }
  teams { nodes { name } } runs { nodes { status } } viewerPermissions
  events { nodes { action fromVersionNumber toVersionNumber message actor { displayName } } }
}
fragment Version on JobVersion {
  number status revision message basedOn { number } cluster { name } maxRetries timeoutSeconds
  schedule { cron } environment { name value } dependencies { job { jobKey } jobKey isDeleted }
}
"""
JOBS = "query { jobs { nodes { ...Shape } totalCount } }" + SHAPE
ANSWERS = {
    "delete_job": "deletedJobId cancelledRuns { status }",
    "create_draft": "job { ...Shape } draft { number revision }",
    "update_draft": "job { ...Shape } draft { number revision }",
    "discard_draft": "job { ...Shape } discardedNumber",
    **dict.fromkeys(
        ["publish_draft", "create_version", "activate_version"], "job { ...Shape } version { number status }"
    ),
}
NAMES = {"uid": "jobId", "teams": "teamIds", "team": "teamId"}
NAMES |= {"expected_job": "expectedJobRevision", "expected_draft": "expectedDraftRevision"}
NAMES |= {"expected_current": "expectedCurrentVersion"}


class Lives:
    """Runs each step twice: by the API, and on the jobs in memory."""

    def __init__(self, ask: Ask, database: Database, world: World) -> None:
        self.ask, self.database, self.world = ask, database, world
        self.memory = Jobs()
        self.ids: dict[int, str] = {0: NOBODY}

    async def begin(self) -> None:
        """Reset the state of the previous example and create two jobs."""
        async with AsyncSession(self.database.writes) as session, session.begin():
            await session.execute(delete(JobRow))
            await session.execute(delete(Event))
        for name, status in self.memory.clusters.items():
            await self.turn_cluster("", name, status)
        for key, teams in (("alpha", ["data-eng"]), ("beta", ["data-eng", "analytics"])):
            values = {"teams": teams, "config": {"clusterId": "active"}}
            await self.take({"do": "create_job", "by": "admin", "job": key, **values})

    async def take(self, step: dict[str, Any]) -> None:
        rest = dict(step)
        do, by, key = rest.pop("do"), rest.pop("by"), rest.pop("job")
        if do in {"run", "turn_cluster"}:
            await getattr(self, do)(key, **rest)
            return
        dry_run = rest.pop("dry_run", False)
        values = self._concrete(do, key, rest)
        after, answer, problems = self.memory.after(do, by, **values)
        got = await self._asked(do, by, values | ({"dryRun": True} if dry_run else {}))
        errors = sorted((each["code"], ".".join(each["path"])) for each in got.pop("userErrors"))
        assert errors == sorted(problems)
        if do == "create_job" and not errors:
            self.ids[answer["uid"]] = got.pop("id")["id"]
        got.pop("id", None)
        assert got == _payload(do, by, after, {"uid": values.get("uid"), **answer}, self.ids)
        if not dry_run:
            self.memory = after

    async def run(self, key: str, status: JobRunStatus) -> None:
        """Write runs, as the execution plane does."""
        uid = self.memory.uids.get(key, 0)
        if job := self.memory.jobs.get(uid):
            job.runs.append(status.value)
            async with AsyncSession(self.database.writes) as session, session.begin():
                session.add(_run(self.world, self.ids[uid], job.current, status))

    async def turn_cluster(self, _key: str, cluster: str, status: str) -> None:
        self.memory.clusters[cluster] = status
        async with AsyncSession(self.database.writes) as session, session.begin():
            own = (Cluster.organization_id == self.world.organization.id) & (Cluster.name == cluster)
            await session.execute(update(Cluster).where(own).values(status=status))

    async def compare(self) -> None:
        """Check that each member sees the same as in memory, and that the history of deleted jobs is kept."""
        for by in ("admin", "contributor", "team_admin", "viewer", "auditor", "outsider"):
            shown = [_job(self.memory, each, by) for each in self.memory.jobs.values()]
            seen = [each for each in shown if each]
            assert (await self.ask(self._member(by), JOBS))["jobs"] == {"nodes": seen, "totalCount": len(seen)}
        uids = {job_id: uid for uid, job_id in self.ids.items()}
        names = {self._member(by).id: by for by in ("admin", "contributor", "team_admin")}
        async with AsyncSession(self.database.reads) as session:
            of_jobs = Event.subject_id == Event.job_id  # cancelled runs have events of their own
            own = (Event.organization_id == self.world.organization.id) & of_jobs
            events = list(await session.scalars(select(Event).where(own).order_by(Event.job_id, Event.number)))
        told = [
            (
                uids[each.subject_id],
                each.action,
                each.from_version_number,
                each.to_version_number,
                each.message,
                names[each.actor_id or ""],
            )
            for each in events
        ]
        assert sorted(told, key=lambda each: each[0]) == sorted(self.memory.events, key=lambda each: each[0])

    def _member(self, name: str) -> Member:
        member: Member = getattr(self.world, name)
        return member

    def _concrete(self, do: str, key: str, values: dict[str, Any]) -> dict[str, Any]:
        """Replace keys by the current jobs, and relative expectations by revisions."""
        uid = self.memory.uids.get(key, 0)
        concrete: dict[str, Any] = {"job_key": key} if do == "create_job" else {"uid": uid}
        job = self.memory.jobs.get(uid) or Job(0, key, set(), key)
        actual = {
            "expected_job": job.revision,
            "expected_draft": job.draft.revision if job.draft else 1,
            "expected_current": job.current,
        }
        for name, value in values.items():
            if name in actual:
                concrete |= {} if value is None else {name: actual[name] + value}
            else:
                concrete[name] = self._named(value) if name in {"changes", "config"} else value
        return concrete

    async def _with_ids(self, do: str, values: dict[str, Any]) -> dict[str, Any]:
        """Put the ids of the version's dependencies in place of their positions."""
        positions = values.get("changes", {}).get("removeDependencyIds")
        if positions is None:
            return values
        own = JobVersion.job_id == self.ids[values["uid"]]
        is_draft = JobVersion.status == JobVersionStatus.DRAFT
        number = select(JobRow.current_number).where(JobRow.id == JobVersion.job_id).scalar_subquery()
        async with AsyncSession(self.database.reads) as session:
            drafts = (await session.scalars(select(JobVersion).where(own, is_draft))).all()
            current = (await session.scalars(select(JobVersion).where(own, JobVersion.number == number))).all()
        versions = [*(drafts if do == "update_draft" else []), *current]
        found = [each.id for each in versions[0].dependencies] if versions else []
        ids = [found[each] if each < len(found) else "JD0" for each in positions]
        return values | {"changes": values["changes"] | {"removeDependencyIds": ids}}

    def _named(self, config: dict[str, Any]) -> dict[str, Any]:
        if not config.get("dependencies"):
            return config
        return config | {"dependencies": [self.memory.uids.get(each, 0) for each in config["dependencies"]]}

    async def _asked(self, do: str, by: str, values: dict[str, Any]) -> dict[str, Any]:
        name = to_camel_case(do)
        kind = f"{name[0].upper()}{name[1:]}Input"
        answer = ANSWERS.get(do, "job { ...Shape } id: job { id }")
        fragments = SHAPE if "Shape" in answer else ""
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {answer} userErrors {{ code path }} }} }}"
        given = self._input(await self._with_ids(do, values))
        asked: dict[str, Any] = (await self.ask(self._member(by), query + fragments, input=given))[name]
        return asked

    def _input(self, values: dict[str, Any]) -> dict[str, Any]:
        given = {NAMES.get(name, to_camel_case(name)): self._sent(name, value) for name, value in values.items()}
        return given | ({"name": values["job_key"].title()} if "job_key" in values else {})

    def _sent(self, name: str, value: Any) -> Any:
        team_ids = {each.name: each.id for each in (self.world.data_eng, self.world.analytics, self.world.platform)}
        match name:
            case "uid":
                return self.ids[value]
            case "team":
                return team_ids.get(value, self.world.foreign.team.id)
            case "teams":
                return [self._sent("team", each) for each in value]
            case "changes" | "config":
                return self._sent_config(value) | (
                    {"source": {"sqlSnapshot": {"sql": "1"}}} if name == "config" else {}
                )
        return value

    def _sent_config(self, config: dict[str, Any]) -> dict[str, Any]:
        ids = {each.name: each.id for each in self.world.clusters.values()} | {None: None}
        sent = dict(config)
        if "clusterId" in sent:
            sent["clusterId"] = ids.get(sent["clusterId"], self.world.foreign.cluster.id)
        if sent.get("dependencies"):
            sent["dependencies"] = [{"jobId": self.ids[each]} for each in sent["dependencies"]]
        return sent


def _run(world: World, job_id: str, number: int, status: JobRunStatus) -> JobRun:
    now = datetime.now(UTC)
    own = {"id": new_id(JobRun.PREFIX, now), "organization_id": world.organization.id, "job_id": job_id}
    return JobRun(
        **own,
        version_number=number,
        cluster_id=world.cluster.id,
        status=status,
        trigger=JobRunTrigger.MANUAL,
        created_at=now,
    )


def _payload(do: str, by: str, memory: Jobs, answer: dict[str, Any], ids: dict[int, str]) -> dict[str, Any]:
    if do == "delete_job":
        cancelled = [{"status": "CANCELLED"}] * answer.get("cancelled", 0)
        return {"deletedJobId": ids[answer["deleted"]] if "deleted" in answer else None, "cancelledRuns": cancelled}
    job = memory.jobs.get(answer["uid"])
    shown: dict[str, Any] = {"job": _job(memory, job, by) if job else None}
    if do in {"create_draft", "update_draft"}:
        shown["draft"] = {"number": job.draft.number, "revision": job.draft.revision} if job and job.draft else None
    if do == "discard_draft":
        shown["discardedNumber"] = answer.get("discarded")
    if "version {" in ANSWERS.get(do, ""):
        shown["version"] = {"number": answer["version"], "status": "PUBLISHED"} if "version" in answer else None
    return shown


def _job(memory: Jobs, job: Job, by: str) -> dict[str, Any] | None:
    if not memory.rights(by, job):
        return None
    published = [each for each in job.versions.values() if each.status == "PUBLISHED"]
    names = ("action", "fromVersionNumber", "toVersionNumber", "message")
    history = [
        dict(zip(names, event[1:5], strict=True)) | {"actor": {"displayName": event[5]}}
        for event in reversed(memory.events)
        if event[0] == job.uid
    ]
    return {
        "jobKey": job.key,
        "name": job.name,
        "status": job.status,
        "revision": job.revision,
        "currentVersion": {"number": job.current},
        "draft": _version(memory, job, job.draft, by) if job.draft else None,
        "versions": {"nodes": [_version(memory, job, each, by) for each in published]},
        "teams": {"nodes": [{"name": each} for each in sorted(job.teams)]},
        "runs": {"nodes": [{"status": each} for each in reversed(job.runs)]},
        "viewerPermissions": memory.rights(by, job),
        "events": {"nodes": history},
    }


def _version(memory: Jobs, job: Job, version: Version, by: str) -> dict[str, Any]:
    config = version.config
    return {
        **{name: getattr(version, name) for name in ("number", "status", "revision", "message")},
        "basedOn": version.based_on and {"number": version.based_on},
        "cluster": {"name": config["clusterId"]},
        **{name: config[name] for name in ("maxRetries", "timeoutSeconds", "schedule", "environment")},
        "dependencies": [_dependency(memory, each, by) for each in config["dependencies"]],
    }


def _dependency(memory: Jobs, uid: int, by: str) -> dict[str, Any]:
    is_deleted = uid in memory.deleted
    job = memory.deleted[uid] if is_deleted else memory.jobs[uid]
    key = job.key if memory.rights(by, job) else None
    return {"job": {"jobKey": key} if key and not is_deleted else None, "jobKey": key, "isDeleted": is_deleted}


@settings(
    max_examples=35,
    derandomize=True,
    database=None,
)
@given(steps=steps_of_a_life)
async def test_random_steps_agree_with_the_model_in_memory(
    ask: Ask, database: Database, world: World, steps: list[dict[str, Any]]
) -> None:
    lives = Lives(ask, database, world)
    await lives.begin()
    for each in steps:
        await lives.take(each)
    await lives.compare()
