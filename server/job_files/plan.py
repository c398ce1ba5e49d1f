"""Compares job files with a server, and applies them to it, in batches."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson

from mainsheet.models import limits
from mainsheet.server.job_files.files import Document, JobFile
from mainsheet.server.job_files.remote import Remote

BATCH_BYTES = 500_000  # half of what a server takes by default
BATCH_VALUES = 5_000
APPLY = """
mutation ApplyJobs($input: ApplyJobsInput!) {
  applyJobs(input: $input) {
    results {
      jobKey outcome
      changes { kind path before after }
      userErrors { code message path }
    }
    userErrors { message path }
  }
}
"""
CREATED, CHANGED, UNCHANGED, REFUSED = "CREATED", "CHANGED", "UNCHANGED", "REFUSED"


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


async def steps(
    remote: Remote, files: Sequence[JobFile], *, dry_run: bool, publish: bool, message: str | None
) -> AsyncIterator[Sequence[Step]]:
    """Apply the files, those that others depend on first. Yield what became of each batch."""
    created: set[str] = set()
    for batch in _batches(_in_order(files)):
        options = {"mode": "EACH", "dryRun": dry_run, "publish": publish, "message": message}
        answer = await remote.send(APPLY, input={"jobs": [each.document for each in batch], **options})
        made: list[Step] = []
        for file, result in zip(batch, answer["applyJobs"]["results"], strict=True):
            step = _step(file, result)
            made.append(_waiting(step, created) if dry_run else step)
            created |= {file.job_key} if made[-1].outcome == CREATED else set()
        yield made


def _in_order(files: Sequence[JobFile]) -> Sequence[JobFile]:
    """Sort files after those that they depend on. In a cycle, the server refuses each."""
    by_key = {each.job_key: each for each in files}
    needed = {key: [other for other in each.dependencies if other in by_key] for key, each in by_key.items()}
    try:
        return [by_key[key] for key in TopologicalSorter(needed).static_order()]
    except CycleError:
        return files


def _batches(files: Sequence[JobFile]) -> Iterator[Sequence[JobFile]]:
    batch: list[JobFile] = []
    size = values = 0
    for each in files:
        own_size, own_values = len(orjson.dumps(each.document)), _count(each.document)
        is_full = size + own_size > BATCH_BYTES or values + own_values > BATCH_VALUES
        if batch and (is_full or len(batch) == limits.BATCH.maximum):
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
    return Step(
        file,
        result["outcome"],
        [Difference(each["kind"], each["path"], each["before"], each["after"]) for each in result["changes"]],
        [Fault(each["code"], ".".join(each["path"][2:]), each["message"]) for each in result["userErrors"]],
    )


def _waiting(step: Step, created: set[str]) -> Step:
    """Forgive a step the faults that a dry run of its batch finds because earlier batches weren't applied."""
    waits_for = {
        f"config.dependencies.{index}.jobKey" for index, key in enumerate(step.file.dependencies) if key in created
    }
    faults = [each for each in step.faults if each.code != "JOB_NOT_FOUND" or each.path not in waits_for]
    if faults or not step.faults:
        return replace(step, faults=faults)
    return replace(step, outcome=CREATED, faults=())
