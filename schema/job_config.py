"""A version's configuration as JSON that can be sent back."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NewType

import strawberry
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models.job_config import Dependency
from mainsheet.models.job_config import JobConfig as Config
from mainsheet.models.source import Source


def document(config: Config) -> dict[str, Any]:
    """Return the configuration by the names of `JobConfigInput`. A part that can be cleared is there as null."""
    return {to_camel_case(each.name): _json(getattr(config, each.name)) for each in fields(config)}


def _json(value: Any) -> Any:
    match value:
        case Source():
            return {to_camel_case(value.kind.lower()): _object(value)}
        case Dependency():
            return {"jobId": value.job_id, "condition": str(value.condition)}
        case tuple():
            return [_json(each) for each in value]
        case Enum():
            return value.value
    return _object(value) if is_dataclass(value) else value


def _object(value: Any) -> dict[str, Any]:
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    return {to_camel_case(name): _json(each) for name, each in named.items() if each is not None}


JobConfig = NewType("JobConfig", Config)
JOB_CONFIG = strawberry.scalar(
    name="JobConfig",
    serialize=document,
    description="A configuration as JSON that is a valid `JobConfigInput` and a valid `JobConfigChangesInput`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
)
