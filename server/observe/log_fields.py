"""Fields of all log lines of a request: its id, its client, its trace, and who sent it as soon as that is known."""

import asyncio
import re
from collections.abc import Coroutine, Mapping
from contextvars import Context, ContextVar
from typing import TypeVar

from structlog.typing import EventDict, WrappedLogger

from mainsheet.resolvers.caller import Caller

TRACE_PARENT_HEADER = "traceparent"
TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context
T = TypeVar("T")

_of_process: dict[str, str | int] = {}
# One dictionary for a request and all of its tasks, so that what is learned late is in all later lines.
_fields: ContextVar[dict[str, str] | None] = ContextVar("log_fields", default=None)


def name_process(**fields: str | int) -> None:
    """Add these fields to all log lines of this process, instead of earlier ones."""
    _of_process.clear()
    _of_process.update(fields)


class LogFields:
    """A context manager that adds fields to the log lines of what runs inside."""

    __slots__ = ("_fields", "_token")

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __enter__(self) -> None:
        self._token = _fields.set(self._fields)

    def __exit__(self, *_failure: object) -> None:
        _fields.reset(self._token)


def identify(caller: Caller) -> None:
    """Name the caller in the rest of the request's log lines."""
    fields = _fields.get()
    if fields is not None:
        fields["actor"], fields["organization"] = caller.actor_id, caller.organization_id
        if caller.token_id is not None:
            fields["token"] = caller.token_id
        else:
            fields.pop("token", None)


def detached(work: Coroutine[object, object, T], name: str, *kept: str) -> asyncio.Task[T]:
    """Start a task that may outlive the present request, without its spans, its instruments and its log fields.

    `kept` names the fields that its log lines have nevertheless.
    """
    return asyncio.create_task(work, name=name, context=detached_context(*kept))


def detached_context(*kept: str) -> Context:
    """Return a context for detached tasks."""
    context, fields = Context(), _fields.get() or {}
    context.run(_fields.set, {each: fields[each] for each in kept if each in fields})
    return context


def with_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the fields of the process and of the present request to a line."""
    for name, value in current_fields().items():
        event.setdefault(name, value)
    return event


def current_fields() -> Mapping[str, str | int]:
    return {**_of_process, **(_fields.get() or {})}


def trace_id(headers: Mapping[str, str]) -> str | None:
    """Return the id of the trace to which a client says that its request belongs."""
    found = TRACE_PARENT.fullmatch(headers.get(TRACE_PARENT_HEADER, ""))
    return found and found[1]
