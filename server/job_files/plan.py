"""Compares job files with a server, and applies them to it, in batches."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import orjson

from mainsheet.models import limits
from mainsheet.models.dependency_order import in_order
from mainsheet.server.job_files.document import Document
from mainsheet.server.job_files.files import JobFile
from mainsheet.server.job_files.remote import Remote

BATCH_BYTES = 500_000  # half of what a server takes by default
BATCH_VALUES = 5_000
DETAILED_BATCH = 25  # the differences of a batch cost what they could hold
APPLY = """
mutation ApplyJobs($input: ApplyJobsInput!) {
  applyJobs(input: $input) { results { outcome userErrors { code message path } } userErrors { message } }
}
"""
DIFFERENCES = """
mutation CompareJobs($input: ApplyJobsInput!) {
  applyJobs(input: $input) {
    results { changes { kind path before { ...Value } after { ...Value } } }
    userErrors { message }
  }
}
fragment Value on ConfigValue {
  ... on TextValue { text }
  ... on NumberValue { number }
  ... on NodeValue { key }
  ... on SecretValue { reference }
  ... on HiddenValue { isHidden }
}
"""
CREATED, CHANGED, DELETED, UNCHANGED, REFUSED = "CREATED", "CHANGED", "DELETED", "UNCHANGED", "REFUSED"


@dataclass(frozen=True)
class Difference:
    kind: str
    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Fault:
    code: str
    path: str
    message: str


@dataclass(frozen=True)
class Step:
    """What applying a file does, or did."""

    file: JobFile
    outcome: str
    differences: Sequence[Difference] = ()
    faults: Sequence[Fault] = ()

    @property
    def label(self) -> str:
        return self.file.job_key

    @property
    def place(self) -> str:
        return str(self.file.path)

    @property
    def heading(self) -> Mapping[str, str]:
        return {"jobKey": self.label, "file": self.place}


async def compared(remote: Remote, files: Sequence[JobFile], *, publish: bool) -> AsyncIterator[Sequence[Step]]:
    """Find out what applying the files would do, without changing anything. Yield the steps of each batch."""
    created: set[str] = set()
    options = {"dryRun": True, "publish": publish}
    for batch in _batches(_in_order(files), limits.BATCH.maximum):
        steps = [_planned(*each, created) for each in await _dry_results(remote, APPLY, batch, options, created)]
        created |= {each.file.job_key for each in steps if each.outcome == CREATED}
        changed = [each.file for each in steps if each.outcome == CHANGED]
        found = {
            file.job_key: [*map(_difference, result["changes"]), *_new_dependencies(file, created)]
            for part in _batches(changed, DETAILED_BATCH)
            for file, result in await _dry_results(remote, DIFFERENCES, part, options, created)
        }
        yield [replace(each, differences=found.get(each.file.job_key, ())) for each in steps]


async def applied(
    remote: Remote, files: Sequence[JobFile], *, publish: bool, message: str | None
) -> AsyncIterator[Sequence[Step]]:
    """Apply the files, those that others depend on first. Yield the steps of each batch."""
    options = {"publish": publish, "message": message}
    for batch in _batches(_in_order(files), limits.BATCH.maximum):
        yield [_step(*each) for each in await _results(remote, APPLY, batch, options)]


async def _results(
    remote: Remote, query: str, batch: Sequence[JobFile], options: Mapping[str, Any]
) -> Sequence[tuple[JobFile, Mapping[str, Any]]]:
    documents = [each.document for each in batch]
    answer = (await remote.send(query, input={"jobs": documents, "mode": "EACH", **options}))["applyJobs"]
    if answer["userErrors"]:  # the token lacks a scope, for example: there are no results then
        raise remote.refused(answer["userErrors"])
    return list(zip(batch, answer["results"], strict=True))


async def _dry_results(
    remote: Remote, query: str, batch: Sequence[JobFile], options: Mapping[str, Any], created: AbstractSet[str]
) -> Sequence[tuple[JobFile, Mapping[str, Any]]]:
    """Send the files without their dependencies on jobs that aren't created yet: a dry run wouldn't find these."""
    results = await _results(remote, query, [_without(each, created) for each in batch], options)
    return [(file, result) for file, (_, result) in zip(batch, results, strict=True)]


def _without(file: JobFile, created: AbstractSet[str]) -> JobFile:
    if created.isdisjoint(file.dependencies):
        return file
    config = file.document["config"]
    kept = [each for each in config["dependencies"] if each["jobKey"] not in created]
    return replace(file, document={**file.document, "config": {**config, "dependencies": kept}})


def _in_order(files: Sequence[JobFile]) -> Sequence[JobFile]:
    """Sort files after those that they depend on. In a cycle, the server refuses each."""
    by_key = {each.job_key: each for each in files}
    needed = {key: [other for other in each.dependencies if other in by_key] for key, each in by_key.items()}
    order, _ = in_order(needed)
    return [by_key[key] for key in order]


def _batches(files: Sequence[JobFile], most: int) -> Iterator[Sequence[JobFile]]:
    batch: list[JobFile] = []
    size = values = 0
    for each in files:
        own_size, own_values = len(orjson.dumps(each.document)), _count(each.document)
        is_full = size + own_size > BATCH_BYTES or values + own_values > BATCH_VALUES
        if batch and (is_full or len(batch) == most):
            yield batch
            batch, size, values = [], 0, 0
        batch.append(each)
        size, values = size + own_size, values + own_values
    if batch:
        yield batch


def _count(value: Document | Sequence[Any] | Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _step(file: JobFile, result: Mapping[str, Any]) -> Step:
    faults = [Fault(each["code"], ".".join(each["path"][2:]), each["message"]) for each in result["userErrors"]]
    return Step(file, result["outcome"], faults=faults)


def _difference(change: Mapping[str, Any]) -> Difference:
    return Difference(change["kind"], ".".join(change["path"]), _text(change["before"]), _text(change["after"]))


def _text(value: Mapping[str, Any] | None) -> str | None:
    match value:
        case None:
            return None
        case {"reference": reference}:
            return f"the secret {reference}"
        case {"isHidden": True}:
            return "(hidden)"
    (text,) = value.values()
    return str(text)


def _planned(file: JobFile, result: Mapping[str, Any], created: AbstractSet[str]) -> Step:
    """Return the step of a file that was sent without its dependencies on the created jobs."""
    step = _step(file, result)
    if created.isdisjoint(file.dependencies):
        return step
    sent = [index for index, key in enumerate(file.dependencies) if key not in created]
    faults = [replace(each, path=_own_path(each.path, sent)) for each in step.faults]
    return replace(step, outcome=CHANGED if step.outcome == UNCHANGED else step.outcome, faults=faults)


def _own_path(path: str, sent: Sequence[int]) -> str:
    """Convert the index of a dependency that was sent to its index in the file."""
    match path.split("."):
        case ["config", "dependencies", index, *rest]:
            return ".".join(["config", "dependencies", str(sent[int(index)]), *rest])
    return path


def _new_dependencies(file: JobFile, created: AbstractSet[str]) -> Iterator[Difference]:
    """Yield the differences for dependencies on created jobs: no version can have them yet."""
    for each in file.document["config"].get("dependencies") or ():
        if each["jobKey"] in created:
            path = f"dependencies.{each['jobKey']}"
            yield Difference("ADDED", path, None, each["jobKey"])
            yield Difference("ADDED", f"{path}.condition", None, each.get("condition", "ON_SUCCESS"))
