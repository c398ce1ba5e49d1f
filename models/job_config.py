"""A version's configuration: its values, changes to it, and its validation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from mainsheet.models import limits
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.errors import (
    ClusterNotActive,
    ClusterNotFound,
    DependencyCycle,
    DependencyNotFound,
    DependencyOnItself,
    Invalid,
    JobNotFound,
    Path,
    SavedQueryNotFound,
    UserError,
)
from mainsheet.models.references import References
from mainsheet.models.schedule import Schedule
from mainsheet.models.source import SavedQueries, Source, SourceKind, given_source

REMOVE = "Remove it with removeDependencyIds."


class DependencyCondition(StrEnum):
    ON_SUCCESS = "ON_SUCCESS"
    ON_COMPLETION = "ON_COMPLETION"
    ON_FAILURE = "ON_FAILURE"


class ExecutionMode(StrEnum):
    STANDALONE = "STANDALONE"
    CLUSTER = "CLUSTER"


@dataclass(frozen=True)
class Dependency:
    """A dependency on a job. `id` is that of the stored row; a new one has none."""

    job_id: str
    condition: DependencyCondition = DependencyCondition.ON_SUCCESS
    id: str | None = field(default=None, compare=False)
    is_deleted: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Compute:
    execution_mode: ExecutionMode = ExecutionMode.STANDALONE
    driver_instance_type: str | None = None
    executor_instance_type: str | None = None
    executor_count: int | None = None

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.text_problems(COMPUTE_TEXTS, vars(self), path)
        if self.executor_count is not None:
            yield from limits.EXECUTORS.check(self.executor_count, (*path, "executor_count"))
        if self.execution_mode is ExecutionMode.STANDALONE:
            for name in ("executor_instance_type", "executor_count"):
                if getattr(self, name) is not None:
                    reason = "Goes with the execution mode CLUSTER only: STANDALONE has no executors."
                    yield Invalid(path=(*path, name), reason=reason)


COMPUTE_TEXTS = {"driver_instance_type": limits.NAME, "executor_instance_type": limits.NAME}


@dataclass(frozen=True)
class Variable:
    """An environment variable with either a text or a reference to a secret, which itself is never stored."""

    name: str
    value: str | None = None
    secret_reference: str | None = None

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.VARIABLE_NAME.check(self.name, (*path, "name"))
        yield from limits.text_problems(VARIABLE_TEXTS, vars(self), path)
        if (self.value is None) == (self.secret_reference is None):
            yield Invalid(path=path, reason="Needs exactly one of value and secretReference.")

    def stored(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value is not None}


VARIABLE_TEXTS = {"value": limits.ARGUMENT, "secret_reference": limits.LOCATION}


@dataclass(frozen=True, kw_only=True)
class JobConfig:
    cluster_id: str
    source: Source
    schedule: Schedule | None = None
    dependencies: tuple[Dependency, ...] = ()
    compute: Compute = field(default_factory=Compute)
    environment: tuple[Variable, ...] = ()
    max_retries: int = 0
    retry_delay_seconds: int = 0
    timeout_seconds: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Build a new configuration. Omitted values, and nulls of values that can be cleared, become the default."""
        return cls(**_parsed(values))

    def changed(self, values: Mapping[str, Any], visible: Collection[str] = ()) -> Self:
        """Return this configuration with the given `values` replaced. Omitted values stay as they are.

        New dependencies replace those on the `visible` jobs only. `remove_dependency_ids` removes any of them.
        """
        parts = _parsed(values)
        removed = parts.pop(REMOVED, ())
        stored = [each for each in self.dependencies if each.id not in removed]
        given = parts.get("dependencies")
        parts["dependencies"] = tuple(stored if given is None else _with_hidden(given, stored, visible))
        return replace(self, **parts)

    def problems(self, path: Path, references: References, own_id: str | None = None) -> Iterator[UserError]:
        """Yield all problems of the parts. `own_id` is the job itself, which must not be a dependency."""
        if self.cluster_id not in references.clusters:
            yield ClusterNotFound(path=(*path, "cluster_id"), missing_id=self.cluster_id)
        yield from self._query_problems(path, references)
        yield from self._dependency_problems((*path, "dependencies"), references, own_id)
        yield from self.value_problems(path)

    def value_problems(self, path: Path = ()) -> Iterator[UserError]:
        """Yield the problems of the values that don't depend on the rows that ids refer to."""
        yield from self.source.problems((*path, "source", self.source.kind.lower()))
        if self.schedule:
            yield from self.schedule.problems((*path, "schedule"))
        yield from limits.ENTRIES.check(len(self.dependencies), (*path, "dependencies"))
        yield from self.compute.problems((*path, "compute"))
        yield from self._environment_problems((*path, "environment"))
        yield from limits.RETRIES.check(self.max_retries, (*path, "max_retries"))
        yield from limits.RETRY_DELAY.check(self.retry_delay_seconds, (*path, "retry_delay_seconds"))
        if self.timeout_seconds is not None:
            yield from limits.TIMEOUT.check(self.timeout_seconds, (*path, "timeout_seconds"))

    def change_problems(
        self, values: Mapping[str, Any], path: Path, references: References, own_id: str
    ) -> Iterator[UserError]:
        """Yield the problems of the `values` that replaced those of this configuration.

        What was stored before stays usable, even if a rule of today would refuse it.
        """
        given = {name for name, value in values.items() if value is not None}
        yield from null_problems(values, path)
        yield from (each for each in self.problems(path, references, own_id) if each.path[len(path)] in given)

    def running_problems(
        self, references: References, own_id: str | None, paths: Mapping[str, Path]
    ) -> Iterator[UserError]:
        """Yield the problems that prevent the configuration from becoming current.

        `paths` maps parts to the paths of their problems. Other parts have the path `job_id`.
        """
        status = references.clusters.get(self.cluster_id, ClusterStatus.ACTIVE)
        if status is not ClusterStatus.ACTIVE:
            path = paths.get("cluster_id", ("job_id",))
            yield ClusterNotActive(path=path, cluster_id=self.cluster_id, status=status)
        followed = references.waits_for.keys() - {own_id}
        followed_ids = [each.job_id for each in self.dependencies if each.job_id in followed]
        if own_id and (cycle := references.cycle(own_id, followed_ids)):
            yield DependencyCycle(path=paths.get("dependencies", ("job_id",)), job_ids=tuple(cycle))

    def publication_problems(
        self, references: References, own_id: str | None, paths: Mapping[str, Path], advice: str = REMOVE
    ) -> Iterator[UserError]:
        """Yield the problems that prevent the configuration from becoming current in a new version.

        `advice` says how to get rid of a dependency on a deleted job.
        """
        yield from self.running_problems(references, own_id, paths)
        yield from self._deletion_problems(paths, advice)

    def _deletion_problems(self, paths: Mapping[str, Path], advice: str) -> Iterator[UserError]:
        """Yield a problem for each dependency on a deleted job. An old version may have them, a new one may not."""
        for each in self.dependencies:
            if each.is_deleted:
                reason = f"The job of the dependency {each.id} was deleted. {advice}"
                path = paths.get("dependencies", ("job_id",))
                yield DependencyNotFound(path=path, dependency_id=each.id, reason=reason)

    def removal_problems(self, values: Mapping[str, Any], path: Path) -> Iterator[UserError]:
        """Yield the problems of the ids of dependencies to remove from this configuration."""
        removed, stored = values.get(REMOVED) or (), {each.id for each in self.dependencies}
        yield from limits.ENTRIES.check(len(removed), (*path, REMOVED))
        for index, each in enumerate(removed):
            if each not in stored:
                reason = f"The version has no dependency {each!a:.60}."
                yield DependencyNotFound(path=(*path, REMOVED, str(index)), reason=reason)

    def _query_problems(self, path: Path, references: References) -> Iterator[UserError]:
        if isinstance(self.source, SavedQueries):
            for index, query_id in enumerate(self.source.query_ids):
                if query_id not in references.queries:
                    at = (*path, "source", "saved_queries", "query_ids", str(index))
                    yield SavedQueryNotFound(path=at, missing_id=query_id)

    def _dependency_problems(self, path: Path, references: References, own_id: str | None) -> Iterator[UserError]:
        seen: set[str] = set()
        for index, dependency in enumerate(each for each in self.dependencies if each.id is None):
            at = (*path, str(index), "job_id")
            if dependency.job_id == own_id:
                yield DependencyOnItself(path=at)
            elif dependency.job_id not in references.jobs:
                yield JobNotFound(path=at, missing_id=dependency.job_id)
            elif dependency.job_id in seen:
                yield Invalid(path=at, reason="This job is there already.")
            seen.add(dependency.job_id)

    def _environment_problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.ENTRIES.check(len(self.environment), path)
        seen: set[str] = set()
        for index, variable in enumerate(self.environment):
            at = (*path, str(index))
            yield from variable.problems(at)
            if variable.name in seen:
                yield Invalid(path=(*at, "name"), reason=f"The variable {variable.name!a} is there already.")
            seen.add(variable.name)


REMOVED = "remove_dependency_ids"
CLEARED = {
    "schedule": None,
    "dependencies": (),
    "compute": Compute(),
    "environment": (),
    "timeout_seconds": None,
}


def _with_hidden(
    given: Sequence[Dependency], stored: Sequence[Dependency], visible: Collection[str]
) -> list[Dependency]:
    """Return the given dependencies. The stored ones on jobs that aren't visible keep their positions."""
    dependencies = list(given)
    for position, each in enumerate(stored):
        if each.job_id not in visible:
            dependencies.insert(position, each)
    return dependencies


def null_problems(values: Mapping[str, Any], path: Path) -> Iterator[Invalid]:
    """Yield a problem for each null of a value that can't be cleared."""
    for name, value in values.items():
        if value is None and name not in CLEARED:
            yield Invalid(path=(*path, name), reason="Can't be null. Omit it instead.")


def _parsed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: CLEARED[name] if value is None else _part(name, value)
        for name, value in values.items()
        if value is not None or name in CLEARED
    }


def _part(name: str, value: Any) -> Any:
    match name:
        case "source":
            ((kind, content),) = value.items()
            return given_source(SourceKind(kind.upper()), content)
        case "schedule":
            return Schedule(**value)
        case "dependencies":
            return tuple(Dependency(**each) for each in value)
        case "compute":
            return Compute(**limits.normal(COMPUTE_TEXTS, value))
        case "environment":
            return tuple(Variable(**limits.normal(VARIABLE_TEXTS, each)) for each in value)
    return value
