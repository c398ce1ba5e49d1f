"""A second, minimal implementation of the life of jobs, in memory. The API must agree with it."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

PERMISSIONS = ["VIEW", "EDIT", "RUN", "MANAGE_TEAMS", "DELETE"]
RANKS = {"VIEWER": 1, "AUDITOR": 1, "CONTRIBUTOR": 3, "ADMIN": 5}
ORGANIZATION_ROLES = {"admin": "ADMIN", "auditor": "AUDITOR"}
TEAM_ROLES = {
    "team_admin": {"data-eng": "ADMIN"},
    "contributor": {"data-eng": "CONTRIBUTOR", "analytics": "VIEWER"},
    "viewer": {"data-eng": "VIEWER"},
}
TEAMS = {"data-eng", "analytics", "platform"}
DEFAULTS: "Config" = {"maxRetries": 0, "timeoutSeconds": None, "schedule": None, "environment": [], "dependencies": []}
CLEARABLE = {"timeoutSeconds", "schedule", "environment", "dependencies"}
UNFINISHED = {"PENDING", "READY", "RUNNING"}

Config = dict[str, Any]
Problem = tuple[str, str]


class Refused(Exception):
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Refused(*problems)


@dataclass
class Version:
    number: int
    based_on: int | None
    config: Config
    status: str = "DRAFT"
    revision: int = 1
    message: str | None = None


@dataclass
class Job:
    uid: int
    key: str
    teams: set[str]
    name: str
    status: str = "ACTIVE"
    revision: int = 0
    current: int = 0
    last: int = 0
    lines: int = 0
    versions: dict[int, Version] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    @property
    def draft(self) -> Version | None:
        return next((each for each in self.versions.values() if each.status == "DRAFT"), None)

    def begin(self, config: Config) -> Version:
        self.last += 1
        self.versions[self.last] = Version(self.last, self.current or None, config, revision=max(1, self.lines))
        return self.versions[self.last]


@dataclass
class Jobs:
    """All jobs of an organization. Each method is a mutation, and raises `Refused` if the API must refuse it."""

    jobs: dict[int, Job] = field(default_factory=dict)
    deleted: dict[int, Job] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=lambda: {"active": "ACTIVE", "failed": "FAILED"})
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def after(self, do: str, by: str, /, **values: Any) -> tuple["Jobs", dict[str, Any], Sequence[Problem]]:
        """Return the state after the mutation, its answer, and its problems."""
        after = deepcopy(self)
        try:
            return after, getattr(after, do)(by, **values), ()
        except Refused as refused:
            return self, {}, refused.problems

    def rights(self, by: str, job: Job | None) -> list[str]:
        if job is None:
            return []
        roles = [role for team, role in TEAM_ROLES.get(by, {}).items() if team in job.teams]
        return PERMISSIONS[: max(RANKS.get(each, 0) for each in ("", ORGANIZATION_ROLES.get(by, ""), *roles))]

    def create_job(self, by: str, job_key: str, teams: Sequence[str], config: Config) -> dict[str, Any]:
        whole = self._laid_over(by, DEFAULTS, config)
        team_problems = [*self._team_problems(by, teams, "CONTRIBUTOR")]
        problems = [*team_problems, *self._config_problems(by, None, DEFAULTS, config, "config")]
        problems += self._cluster_problems(whole, "config.clusterId")
        if not team_problems and job_key in {each.key for each in self.jobs.values()}:
            problems.append(("JOB_KEY_TAKEN", "jobKey"))
        refuse(problems)
        uid = max(self.uids.values(), default=0) + 1
        self.uids[job_key] = uid
        job = self.jobs[uid] = Job(uid, job_key, set(teams), job_key.title())
        job.begin(whole).status = "PUBLISHED"
        job.current = 1
        self._record(job, by, "JOB_CREATED", None, 1)
        return {"uid": uid}

    def update_job(
        self, by: str, uid: int, expected_job: int | None = None, message: str | None = None, **values: Any
    ) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        stale = _stale(expected_job, job.revision, "expectedJobRevision")
        refuse([*stale, *(("INVALID", name) for name, value in values.items() if value is None)])
        if any(getattr(job, name) != value for name, value in values.items()):
            vars(job).update(values)
            self._record(job, by, "JOB_UPDATED", message=message)
        return {}

    def delete_job(self, by: str, uid: int, expected_job: int | None = None, force: bool = False) -> dict[str, Any]:
        job = self._found(by, uid, "DELETE")
        in_the_way = [] if force else self._dependents_problems(uid)
        refuse([*_stale(expected_job, job.revision, "expectedJobRevision"), *in_the_way])
        self._record(job, by, "JOB_DELETED", job.current)
        self.deleted[uid] = self.jobs.pop(uid)
        return {"deleted": uid, "cancelled": sum(each in UNFINISHED for each in job.runs)}

    def create_draft(self, by: str, uid: int, changes: Config) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        base = job.versions[job.current].config
        refuse([*_draft_in_the_way(job), *self._config_problems(by, uid, base, changes, "changes")])
        draft = job.begin(self._laid_over(by, base, changes))
        self._record(job, by, "DRAFT_CREATED", job.current, draft.number)
        return {}

    def update_draft(self, by: str, uid: int, changes: Config, expected_draft: int | None = None) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        base = (job.draft or job.versions[job.current]).config
        refuse([*_draft_missed(job, expected_draft), *self._config_problems(by, uid, base, changes, "changes")])
        draft = job.draft
        assert draft
        config = self._laid_over(by, draft.config, changes)
        if config != draft.config:
            draft.config = config
            draft.revision += 1
            self._record(job, by, "DRAFT_UPDATED", None, draft.number)
        return {}

    def discard_draft(self, by: str, uid: int, expected_draft: int | None = None) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        refuse(_draft_missed(job, expected_draft))
        draft = job.draft
        assert draft
        del job.versions[draft.number]
        self._record(job, by, "DRAFT_DISCARDED", draft.number)
        return {"discarded": draft.number}

    def publish_draft(
        self,
        by: str,
        uid: int,
        message: str | None = None,
        expected_draft: int | None = None,
        expected_current: int | None = None,
    ) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        draft, missed = job.draft, _draft_missed(job, expected_draft)
        running: list[Problem] = []
        if draft and not missed:
            running += self._running_problems(job, draft.config, "jobId", "jobId")
            running += self._deletion_problems(draft.config["dependencies"], "jobId")
        refuse([*missed, *_stale(expected_current, job.current, "expectedCurrentVersion"), *running])
        assert draft
        draft.revision += 1
        return self._moved(job, draft, by, "DRAFT_PUBLISHED", message)

    def create_version(
        self, by: str, uid: int, changes: Config, message: str | None = None, expected_current: int | None = None
    ) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        stale = _stale(expected_current, job.current, "expectedCurrentVersion")
        base = job.versions[job.current].config
        config = self._laid_over(by, base, changes)
        followed = [
            each
            for each in config["dependencies"]
            if each in base["dependencies"] or self.rights(by, self.jobs.get(each))
        ]
        running = [
            *self._running_problems(
                job, config | {"dependencies": followed}, "changes.clusterId", "changes.dependencies"
            ),
            *self._deletion_problems(_left(base, changes), "changes.dependencies"),
        ]
        seen_by_caller = [each for each in running if not stale or changes.get(each[1].removeprefix("changes."))]
        problems = [*stale, *_draft_in_the_way(job), *seen_by_caller]
        refuse([*problems, *self._config_problems(by, uid, base, changes, "changes")])
        return self._moved(job, job.begin(config), by, "VERSION_CREATED", message)

    def activate_version(
        self, by: str, uid: int, number: int, message: str | None = None, expected_current: int | None = None
    ) -> dict[str, Any]:
        job = self._found(by, uid, "EDIT")
        problems = [*_stale(expected_current, job.current, "expectedCurrentVersion"), *_draft_in_the_way(job)]
        refuse([*problems, *self._activation_problems(job, number)])
        version = job.versions[number]
        if number == job.current:
            return {"version": number}
        return self._moved(job, version, by, "VERSION_ACTIVATED", message)

    def add_teams_to_job(self, by: str, uid: int, teams: Sequence[str]) -> dict[str, Any]:
        job = self._found(by, uid, "MANAGE_TEAMS")
        refuse([*self._team_problems(by, teams, "VIEWER")])
        if set(teams) - job.teams:
            job.teams |= set(teams)
            self._record(job, by, "TEAMS_ADDED_TO_JOB")
        return {}

    def remove_team_from_job(self, by: str, uid: int, team: str) -> dict[str, Any]:
        job = self._found(by, uid, "MANAGE_TEAMS")
        if team not in job.teams:
            raise Refused(("TEAM_NOT_FOUND", "teamId"))
        if len(job.teams) == 1:
            raise Refused(("TEAM_REQUIRED", "teamId"))
        job.teams.remove(team)
        self._record(job, by, "TEAM_REMOVED_FROM_JOB")
        return {}

    def _found(self, by: str, uid: int, permission: str) -> Job:
        rights = self.rights(by, self.jobs.get(uid))
        if permission not in rights:
            raise Refused(("FORBIDDEN" if rights else "JOB_NOT_FOUND", "jobId"))
        return self.jobs[uid]

    def _activation_problems(self, job: Job, number: int) -> Iterator[Problem]:
        if number not in job.versions:
            yield "VERSION_NOT_FOUND", "number"
        elif job.versions[number].status == "DRAFT":
            yield "VERSION_NOT_PUBLISHED", "number"
        elif number != job.current:
            yield from self._running_problems(job, job.versions[number].config, "number", "jobId")

    def _moved(self, job: Job, to: Version, by: str, action: str, message: str | None) -> dict[str, Any]:
        if to.status == "DRAFT":
            to.status, to.message = "PUBLISHED", message
        before, job.current = job.current, to.number
        self._record(job, by, action, before, to.number, message)
        return {"version": to.number}

    def _record(
        self, job: Job, by: str, action: str, before: int | None = None, to: int | None = None, message: Any = None
    ) -> None:
        job.lines += 1
        job.revision += action != "DRAFT_UPDATED"
        self.events.append((job.uid, action, before, to, message, by))

    def _laid_over(self, by: str, config: Config, changes: Config) -> Config:
        given = {
            name: DEFAULTS[name] if value is None else value for name, value in changes.items() if _is_set(name, value)
        }
        given.pop("removeDependencyIds", None)
        left = _left(config, changes)
        dependencies = list(given.get("dependencies", left))
        if "dependencies" in given:
            for position, each in enumerate(left):
                if not self.rights(by, self.jobs.get(each)):
                    dependencies.insert(position, each)
        return deepcopy(config | given | {"dependencies": dependencies})

    def _dependents_problems(self, uid: int) -> list[Problem]:
        versions = [
            each for job in self.jobs.values() for each in (job.versions[job.current], job.draft) if each is not None
        ]
        is_depended_on = any(uid in each.config["dependencies"] for each in versions)
        return [("JOB_HAS_DEPENDENTS", "jobId")] if is_depended_on else []

    def _deletion_problems(self, dependencies: Sequence[int], at: str) -> list[Problem]:
        return [("DEPENDENCY_NOT_FOUND", at) for each in dependencies if each in self.deleted]

    def _config_problems(self, by: str, own: int | None, base: Config, given: Config, at: str) -> Iterator[Problem]:
        for index, position in enumerate(given.get("removeDependencyIds", ())):
            if position >= len(base["dependencies"]):
                yield "DEPENDENCY_NOT_FOUND", f"{at}.removeDependencyIds.{index}"
        yield from (("INVALID", f"{at}.{name}") for name, value in given.items() if not _is_set(name, value))
        if (given.get("maxRetries") or 0) > 10:
            yield "INVALID", f"{at}.maxRetries"
        if given.get("clusterId") and given["clusterId"] not in self.clusters:
            yield "CLUSTER_NOT_FOUND", f"{at}.clusterId"
        waits_for = given.get("dependencies") or []
        for index, each in enumerate(waits_for):
            path = f"{at}.dependencies.{index}.jobId"
            if each == own:
                yield "DEPENDENCY_ON_ITSELF", path
            elif not self.rights(by, self.jobs.get(each)):
                yield "JOB_NOT_FOUND", path
            elif each in waits_for[:index]:
                yield "INVALID", path

    def _running_problems(self, job: Job, config: Config, cluster: str, dependencies: str) -> Iterator[Problem]:
        yield from self._cluster_problems(config, cluster)
        reached, ahead = set(), [each for each in config["dependencies"] if each != job.uid]
        while ahead:
            if (each := ahead.pop()) in self.jobs and each not in reached:
                reached.add(each)
                ahead += self.jobs[each].versions[self.jobs[each].current].config["dependencies"]
        if job.uid in reached:
            yield "DEPENDENCY_CYCLE", dependencies

    def _cluster_problems(self, config: Config, at: str) -> Iterator[Problem]:
        if self.clusters.get(config["clusterId"], "ACTIVE") != "ACTIVE":
            yield "CLUSTER_NOT_ACTIVE", at

    def _team_problems(self, by: str, teams: Sequence[str], needed: str) -> Iterator[Problem]:
        if not teams:
            yield "TEAM_REQUIRED", "teamIds"
        for index, team in enumerate(teams):
            if team not in TEAMS:
                yield "TEAM_NOT_FOUND", f"teamIds.{index}"
            elif by != "admin" and RANKS.get(TEAM_ROLES.get(by, {}).get(team, ""), 0) < RANKS[needed]:
                yield "FORBIDDEN", f"teamIds.{index}"


def _left(config: Config, changes: Config) -> list[int]:
    """Return the dependencies without those to remove, which are given by their positions."""
    removed = changes.get("removeDependencyIds", ())
    return [each for position, each in enumerate(config["dependencies"]) if position not in removed]


def _is_set(name: str, value: Any) -> bool:
    return value is not None or name in CLEARABLE


def _draft_in_the_way(job: Job) -> list[Problem]:
    return [("DRAFT_EXISTS", "jobId")] if job.draft else []


def _draft_missed(job: Job, expected: int | None) -> list[Problem]:
    if job.draft is None:
        return [("DRAFT_NOT_FOUND", "jobId")]
    return _stale(expected, job.draft.revision, "expectedDraftRevision")


def _stale(expected: int | None, actual: int, name: str) -> list[Problem]:
    return [] if expected in {None, actual} else [("STALE_REVISION", name)]
