"""Validation of plain values, shared by all mutations that set them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mainsheet.models import limits
from mainsheet.models.errors import Invalid, Path

TEXTS = {
    "job_key": limits.JOB_KEY,
    "name": limits.NAME,
    "description": limits.DESCRIPTION,
    "message": limits.MESSAGE,
    "email": limits.EMAIL,
    "region": limits.NAME,
    "sql": limits.SQL,
    "external_id": limits.NAME,
    "managed_by": limits.NAME,
    "url": limits.URL,
    "skip_reason": limits.MESSAGE,
    "log_url": limits.LOCATION,
}
NULLABLE = {"filter", "description", "message", "external_id", "managed_by", "region"}


def normal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with their texts normalized as they will be stored."""
    return limits.normal(TEXTS, values)


def value_problems(values: Mapping[str, Any]) -> Iterator[Invalid]:
    for name, value in values.items():
        path: Path = (name,)
        if value is None and name not in NULLABLE:
            yield Invalid(path=path, reason="Can't be null. Omit it instead.")
        elif name == "tags":
            yield from tag_problems(value, path)
        elif value is not None and name in TEXTS:
            yield from TEXTS[name].check(value, path)


def tag_problems(tags: Sequence[str], path: Path) -> Iterator[Invalid]:
    yield from limits.TAGS.check(len(set(tags)), path)
    for index, tag in enumerate(tags):
        yield from limits.TAG.check(tag, (*path, str(index)))
