"""Changes of values as a caller sees them: objects in place of ids, and nothing of jobs that the caller can't see."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple, TypeAlias, cast

from sqlalchemy import select, union_all

from mainsheet.models.actor import Actor
from mainsheet.models.cluster import Cluster
from mainsheet.models.config_diff import Change, ChangeKind, Value, kind_of
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.job import Job
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team
from mainsheet.resolvers.permissions import visible, was_visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

HIDDEN = "hidden"
NUMBERS = {"max_retries", "retry_delay_seconds", "timeout_seconds", "max_concurrent_runs", "executor_count"}
LISTS = {"query_ids": "Saved query", "arguments": "Argument"}
NODES = {"cluster_id", "query_ids", "team_id", "teams"}
LABELS = {
    "cluster_id": "Cluster",
    "cron": "Cron expression",
    "executor_count": "Number of executors",
    "origin": "Origin of the SQL text",
    "path": "File path",
    "retry_delay_seconds": "Retry delay in seconds",
    "sql": "SQL text",
    "tags": "Tag",
    "team_id": "Team",
    "teams": "Team",
    "timeout_seconds": "Timeout in seconds",
    "timezone": "Time zone",
    "version": "Package version",
}


@dataclass(frozen=True)
class TextValue:
    text: str


@dataclass(frozen=True)
class NumberValue:
    number: int


@dataclass(frozen=True)
class NodeValue:
    node_id: str
    key: str


@dataclass(frozen=True)
class SecretValue:
    reference: str


@dataclass(frozen=True)
class HiddenValue:
    is_hidden: bool = True


ConfigValue: TypeAlias = TextValue | NumberValue | NodeValue | SecretValue | HiddenValue


@dataclass(frozen=True)
class ConfigChange:
    path: Sequence[str]
    label: str
    kind: ChangeKind
    before: ConfigValue | None
    after: ConfigValue | None


async def shown(read: Read, changes: Mapping[str, Sequence[Change]]) -> Mapping[str, list[ConfigChange]]:
    """Return each owner's changes as the caller sees them, in their order. Takes at most one statement.

    Changes of dependencies, which are stored by the ids of the other jobs, are ordered by what is shown instead.
    """
    ids = {each for listed in changes.values() for change in listed for each in _ids(change)}
    keys = Keys({row.id: row.key for row in await read.rows(_keys, keys=list(ids))} if ids else {})
    return {
        owner: [each for change in keys.in_order(listed) for each in keys.shown(change)]
        for owner, listed in changes.items()
    }


def _is_dependency(change: Change) -> bool:
    return change["path"][0] == "dependencies"


def _ids(change: Change) -> Iterator[str]:
    """Yield the ids of the objects in a change."""
    path = change["path"]
    if path[0] in {"dependencies", "members"}:
        yield path[1]
    elif path[-1] in NODES and path[0] != "environment":
        for value in (change["before"], change["after"]):
            yield from _items(path[-1], value)


def _items(name: str, value: Value | None) -> Sequence[str]:
    if value is None:
        return []
    text = cast("str", value)  # only environment variables have secrets
    return cast("list[str]", json.loads(text)) if name in LISTS else [text]


@dataclass(frozen=True)
class Keys:
    """The keys of jobs and the names of other objects, by id, as far as the caller can see them."""

    by_id: Mapping[str, str]

    def in_order(self, listed: Sequence[Change]) -> Iterator[Change]:
        """Yield the changes with those of dependencies in the order of their paths."""
        on_jobs = iter(sorted(filter(_is_dependency, listed), key=self._path))
        return (next(on_jobs) if _is_dependency(change) else change for change in listed)

    def shown(self, change: Change) -> Iterator[ConfigChange]:
        path, before, after = change["path"], change["before"], change["after"]
        match path:
            case ["environment", name]:
                yield _made(path, f"Environment variable {name}", _plain(before), _plain(after))
            case ["members", actor_id]:
                label = f"Role of {self.by_id.get(actor_id, actor_id)}"
                yield _made(path, label, _plain(before), _plain(after))
            case ["dependencies", job_id]:
                yield from self._dependency(job_id, change)
            case [*_, name] if name in LISTS:
                for index, (old, new) in enumerate(zip_longest(_items(name, before), _items(name, after))):
                    if old != new:
                        label = f"{LISTS[name]} {index + 1}"
                        yield _made([*path, str(index)], label, self._value(name, old), self._value(name, new))
            case [*_, name]:
                label = LABELS.get(name) or name.replace("_", " ").capitalize()
                yield _made(path, label, self._value(name, before), self._value(name, after))

    def _dependency(self, job_id: str, change: Change) -> Iterator[ConfigChange]:
        """Yield the change of the other job, unless it stays, and that of the condition."""
        key = self.by_id.get(job_id)
        path, label = self._path(change), f"Dependency on {key or 'a hidden job'}"
        before, after = _plain(change["before"]), _plain(change["after"])
        if before is None or after is None:
            job = NodeValue(job_id, key) if key else HiddenValue()
            yield _made(path, label, before and job, after and job)
        yield _made([*path, "condition"], f"{label}: condition", before, after)

    def _path(self, change: Change) -> list[str]:
        """Return the path of a dependency's change. A hidden job's has the id of the dependency's row."""
        _, job_id = change["path"]
        return ["dependencies", self.by_id.get(job_id) or change.get("id", HIDDEN)]

    def _value(self, name: str, value: Value | None) -> ConfigValue | None:
        if value is None or isinstance(value, dict):
            return _plain(value)
        if name in NODES:
            return NodeValue(value, self.by_id.get(value, value))
        return NumberValue(int(value)) if name in NUMBERS else TextValue(value)


def _made(path: Sequence[str], label: str, before: ConfigValue | None, after: ConfigValue | None) -> ConfigChange:
    return ConfigChange(path, label, kind_of(before is not None, after is not None), before, after)


def _plain(value: Value | None) -> TextValue | SecretValue | None:
    if value is None:
        return None
    return TextValue(value) if isinstance(value, str) else SecretValue(value["secret_reference"])


class KeyOfNode(NamedTuple):
    id: str
    key: str


@rows_of(KeyOfNode)
def _keys(view: View) -> Statement:
    """Select the keys of jobs that the caller sees or saw until they were deleted, and the names of other objects."""
    jobs = select(Job.id, Job.job_key.label("key")).where(among(Job.id, KEYS), visible(view.caller))
    deleted = select(DeletedJob.id, DeletedJob.job_key).where(
        among(DeletedJob.id, KEYS), was_visible(view.caller), DeletedJob.job_key.is_not(None)
    )
    own = view.caller.organization_id
    named = [
        select(table.id, table.name).where(among(table.id, KEYS), table.organization_id == own)
        for table in (Actor, Cluster, SavedQuery, Team)
    ]
    found = union_all(jobs, deleted, *named).subquery("found")
    return select(found.c.id, found.c.key)
