"""The requests that a client may send next, each with the history event that it would add."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from mainsheet.models.event import EventAction
from tests.chaos.ledger import Effect

MARK = "MARK"  # the environment variable that identifies the change
WITHOUT_DRAFT = ["create_draft"] * 5 + ["create_version"] * 3 + ["activate_version"] * 2
WITH_DRAFT = ["update_draft"] * 5 + ["publish_draft"] * 3 + ["discard_draft"] * 2
ALWAYS = ["create_job", "update_job", "add_teams_to_job", "remove_team_from_job"] * 2 + ["delete_job"]
JOBS = 12


@dataclass
class Seen:
    """A job as clients last saw it. Each team is added only once, so that there is only one event for it."""

    id: str
    untried: list[str]
    current: int = 1
    has_draft: bool = False
    published: set[int] = field(default_factory=lambda: {1})
    added: list[str] = field(default_factory=list)

    def look_at(self, job: dict[str, Any]) -> None:
        self.current = job["currentVersion"]["number"]
        self.has_draft = job["draft"] is not None
        self.published.add(self.current)


@dataclass(frozen=True)
class Step:
    mutation: str
    input: dict[str, Any]
    effect: Effect
    job: Seen | None = None


@dataclass
class Steps:
    """Chooses random steps, most of which succeed. Clients share the jobs, so that their changes conflict."""

    cluster_id: str
    team_id: str
    team_ids: Sequence[str]
    chance: Random
    jobs: dict[str, Seen] = field(default_factory=dict)

    def choose(self, mark: str, actor_id: str) -> Step:
        if len(self.jobs) < JOBS:
            return self.create_job(mark)
        job = self.chance.choice(list(self.jobs.values()))
        usual = WITH_DRAFT if job.has_draft else WITHOUT_DRAFT
        name = self.chance.choice(usual * 4 + ALWAYS)
        step: Step | None = self.create_job(mark) if name == "create_job" else getattr(self, name)(job, mark, actor_id)
        return step or self.update_job(job, mark, actor_id)

    def create_job(self, mark: str) -> Step:
        config = {"clusterId": self.cluster_id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}, **_marked(mark)}
        values = {"jobKey": mark, "name": mark, "teamIds": [self.team_id], "config": config}
        return Step("createJob", self._maybe_keyed(values, mark), Effect(EventAction.JOB_CREATED, mark))

    def update_job(self, job: Seen, mark: str, _member_id: str) -> Step:
        values = {"jobId": job.id, "name": mark, "message": mark}
        return Step("updateJob", values, Effect(EventAction.JOB_UPDATED, mark), job)

    def delete_job(self, job: Seen, _mark: str, _member_id: str) -> Step:
        self.jobs.pop(job.id)  # whatever the response: no other client may delete it, too
        return Step("deleteJob", {"jobId": job.id}, Effect(EventAction.JOB_DELETED, job.id))

    def create_draft(self, job: Seen, mark: str, _member_id: str) -> Step:
        values = {"jobId": job.id, "changes": _marked(mark)}
        return Step("createDraft", values, Effect(EventAction.DRAFT_CREATED, mark), job)

    def update_draft(self, job: Seen, mark: str, _member_id: str) -> Step:
        values = {"jobId": job.id, "changes": _marked(mark)}
        return Step("updateDraft", values, Effect(EventAction.DRAFT_UPDATED, mark), job)

    def discard_draft(self, job: Seen, _mark: str, actor_id: str) -> Step:
        effect = Effect(EventAction.DRAFT_DISCARDED, f"{job.id} {actor_id}")  # it has no mark of its own
        return Step("discardDraft", {"jobId": job.id}, effect, job)

    def publish_draft(self, job: Seen, mark: str, _member_id: str) -> Step:
        values = self._maybe_keyed({"jobId": job.id, "message": mark}, mark)
        return Step("publishDraft", values, Effect(EventAction.DRAFT_PUBLISHED, mark), job)

    def create_version(self, job: Seen, mark: str, _member_id: str) -> Step:
        values = self._maybe_keyed({"jobId": job.id, "message": mark, "changes": _marked(mark)}, mark)
        return Step("createVersion", values, Effect(EventAction.VERSION_CREATED, mark), job)

    def activate_version(self, job: Seen, mark: str, _member_id: str) -> Step | None:
        others = sorted(job.published - {job.current})
        if not others:
            return None
        values = {"jobId": job.id, "message": mark, "number": self.chance.choice(others)}
        values["expectedCurrentVersion"] = job.current  # activating the current one again records no event
        return Step("activateVersion", values, Effect(EventAction.VERSION_ACTIVATED, mark), job)

    def add_teams_to_job(self, job: Seen, _mark: str, _member_id: str) -> Step | None:
        if not job.untried:
            return None
        team_id = job.untried.pop()
        effect = Effect(EventAction.TEAMS_ADDED_TO_JOB, f"{job.id} {team_id}")
        return Step("addTeamsToJob", {"jobId": job.id, "teamIds": [team_id]}, effect, job)

    def remove_team_from_job(self, job: Seen, _mark: str, _member_id: str) -> Step | None:
        if not job.added:
            return None
        team_id = job.added.pop()
        effect = Effect(EventAction.TEAM_REMOVED_FROM_JOB, f"{job.id} {team_id}")
        return Step("removeTeamFromJob", {"jobId": job.id, "teamId": team_id}, effect, job)

    def learn(self, step: Step, answer: dict[str, Any]) -> None:
        """Update what is known of a job from the response to an acknowledged step."""
        job = answer.get("job")
        if job is None:
            return
        if step.effect.action is EventAction.JOB_CREATED:
            self.jobs[job["id"]] = Seen(job["id"], list(self.team_ids))
        if step.effect.action is EventAction.TEAMS_ADDED_TO_JOB and step.job:
            step.job.added += step.input["teamIds"]
        if seen := self.jobs.get(job["id"]):
            seen.look_at(job)

    def _maybe_keyed(self, values: dict[str, Any], mark: str) -> dict[str, Any]:
        return values | ({"idempotencyKey": mark} if self.chance.random() < 0.5 else {})


def _marked(mark: str) -> dict[str, Any]:
    return {"environment": [{"name": MARK, "value": mark}]}
