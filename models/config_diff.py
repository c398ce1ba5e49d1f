"""The difference between two configurations, value by value.

A path has the names of the parts: `schedule`, `cron`; `source`, `sql_snapshot`, `sql`; `environment`, NAME. The
other job of a dependency is stored by its id. Its key is added when the difference is read, since not every reader may
see every job.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any, NotRequired, TypeAlias, TypedDict

from mainsheet.models.job_config import JobConfig, Variable


class ChangeKind(StrEnum):
    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"


class SecretReference(TypedDict):
    secret_reference: str


Value: TypeAlias = str | SecretReference


class Change(TypedDict):
    """A change as events store it in JSON."""

    path: list[str]
    kind: str
    before: Value | None
    after: Value | None
    id: NotRequired[str]  # of a dependency's row, which stands for the other job if that is hidden


def differences(before: JobConfig | None, after: JobConfig | None) -> list[Change]:
    """Return the added, changed and removed values by path. `None` has no values."""
    old = dict(_values(before)) if before else {}
    new = dict(_values(after)) if after else {}
    ids = {each.job_id: each.id for config in (before, after) if config for each in config.dependencies}
    return [
        _with_id(_change(list(path), old.get(path), new.get(path)), ids)
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def change_of(name: str, before: str | None, after: str | None) -> Change:
    """Return the change of one value: `before` is `None` if it was added, `after` if it was removed."""
    return _change([name], before, after)


def _change(path: list[str], before: Value | None, after: Value | None) -> Change:
    return Change(path=path, kind=kind_of(before is not None, after is not None), before=before, after=after)


def _with_id(change: Change, ids: Mapping[str, str | None]) -> Change:
    path = change["path"]
    if path[0] == "dependencies" and (row_id := ids[path[1]]):
        change["id"] = row_id
    return change


def changes_of(name: str, before: Any, after: Any) -> Iterator[Change]:
    """Yield the changes of one value. In a list of texts, each text was added or removed."""
    if isinstance(after, list):
        yield from (change_of(name, each, None) for each in before if each not in after)
        yield from (change_of(name, None, each) for each in after if each not in before)
    elif before != after:
        yield change_of(name, *(value if value is None else _text(value) for value in (before, after)))


def kind_of(was: bool, is_now: bool) -> ChangeKind:
    if was and is_now:
        return ChangeKind.CHANGED
    return ChangeKind.ADDED if is_now else ChangeKind.REMOVED


def _values(config: JobConfig) -> Iterator[tuple[tuple[str, ...], Value]]:
    yield ("cluster_id",), config.cluster_id
    yield from _present(("source", config.source.kind.lower()), config.source.values())
    if config.schedule:
        yield from _present(("schedule",), asdict(config.schedule))
    for dependency in config.dependencies:
        yield ("dependencies", dependency.job_id), dependency.condition
    yield from _present(("compute",), asdict(config.compute))
    for variable in config.environment:
        yield ("environment", variable.name), _text_or_secret(variable)
    retries = ("max_retries", "retry_delay_seconds", "timeout_seconds")
    yield from _present((), {name: getattr(config, name) for name in retries})


def _text_or_secret(variable: Variable) -> Value:
    if variable.secret_reference is None:
        return variable.value or ""
    return SecretReference(secret_reference=variable.secret_reference)


def _present(path: tuple[str, ...], values: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in values.items():
        if value is not None and value != ():
            yield (*path, name), _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
