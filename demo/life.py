"""Stories of demo jobs, and how they are executed: by the methods of `Job`, at times in the past."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mainsheet.models.edit import Edit
from mainsheet.models.event import Event
from mainsheet.models.input_values import value_problems
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.job_version import JobVersion
from mainsheet.models.references import References
from mainsheet.models.roles import JobPermission


@dataclass(frozen=True)
class Step:
    """One change, and the permission that its actor needs."""

    act: Callable[["Life", Edit], object]
    needs: JobPermission = JobPermission.EDIT


SQL = {"saved_queries", "sql_snapshot"}


@dataclass(frozen=True)
class Story:
    """A job's history. `born` and the steps' numbers are days before now; `Names.config` reads `config`."""

    key: str
    name: str
    teams: Sequence[str]
    born: float
    config: Mapping[str, Any]
    description: str | None = None
    steps: Sequence[tuple[float, Step]] = ()
    doing: JobRunStatus | None = None

    @property
    def tags(self) -> list[str]:
        language = "sql" if SQL & self.config["source"].keys() else "python"
        started = "scheduled" if self.config.get("schedule") else "on-demand"
        return [f"lang:{language}", f"retries:{self.config.get('max_retries', 0)}", started]


@dataclass(frozen=True)
class Names:
    """The ids of the names that stories use."""

    clusters: Mapping[str, str]
    queries: Mapping[str, str]
    teams: Mapping[str, str]
    jobs: dict[str, str] = field(default_factory=dict)

    def config(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Convert `cluster`, `source` and `after` for `JobConfig.of`. The other values need no conversion."""
        return dict(self._value(name, value) for name, value in values.items())

    def _value(self, name: str, value: Any) -> tuple[str, Any]:
        match name:
            case "cluster":
                return "cluster_id", self.clusters[value]
            case "after":
                return "dependencies", [
                    {"job_id": self.jobs[key], "condition": condition} for key, condition in value.items()
                ]
            case "source" if "saved_queries" in value:
                ids = [self.queries[each] for each in value["saved_queries"]["query_ids"]]
                return "source", {"saved_queries": {"query_ids": ids}}
        return name, value


@dataclass(frozen=True)
class Life:
    """A job with the rows of its history so far."""

    job: Job
    names: Names
    references: References
    versions: dict[int, JobVersion]
    events: list[Event]

    @classmethod
    def begin(cls, story: Story, organization_id: str, names: Names, references: References, edit: Edit) -> "Life":
        values = {"job_key": story.key, "name": story.name, "description": story.description, "tags": story.tags}
        config = JobConfig.of(names.config(story.config))
        edit.problems += value_problems(values)
        edit.problems += config.problems((), references)
        edit.problems += config.running_problems(references, None, {})
        edit.refuse()
        job = Job.create(values, config, [names.teams[each] for each in story.teams], organization_id, edit)
        return cls(job, names, references, {1: job.current}, edit.events)

    def take(self, step: Step, actor_id: str, at: datetime) -> None:
        step.act(self, Edit(actor_id, at, self.events))
        self.versions[self.job.current_number] = self.job.current


def drafted(**changes: Any) -> Step:
    return Step(lambda life, edit: life.job.create_draft(life.names.config(changes), life.references, edit))


def edited(**changes: Any) -> Step:
    return Step(lambda life, edit: life.job.update_draft(life.names.config(changes), life.references, edit))


def discarded() -> Step:
    return Step(lambda life, edit: life.job.discard_draft(edit))


def published(message: str | None = None) -> Step:
    return Step(lambda life, edit: life.job.publish_draft(message, life.references, edit))


def versioned(message: str | None = None, **changes: Any) -> Step:
    return Step(lambda life, edit: life.job.create_version(life.names.config(changes), message, life.references, edit))


def rolled_back(number: int, message: str | None = None) -> Step:
    return Step(lambda life, edit: life.job.activate(number, life.versions[number], message, life.references, edit))


def paused(message: str | None = None) -> Step:
    return Step(lambda life, edit: life.job.update({"status": JobStatus.PAUSED}, message, edit))


def resumed(message: str | None = None) -> Step:
    return Step(lambda life, edit: life.job.update({"status": JobStatus.ACTIVE}, message, edit))


def described(**values: Any) -> Step:
    return Step(lambda life, edit: life.job.update(values, None, edit))


def shared(*teams: str) -> Step:
    return Step(
        lambda life, edit: life.job.add_teams([life.names.teams[each] for each in teams], edit),
        JobPermission.MANAGE_TEAMS,
    )


def unshared(team: str) -> Step:
    return Step(lambda life, edit: life.job.remove_team(life.names.teams[team], edit), JobPermission.MANAGE_TEAMS)
