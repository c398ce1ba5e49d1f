"""The two formats of the log's lines: JSON for programs, and a console's for people."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mainsheet.server.observe.redaction import LONGEST, LONGEST_TRACEBACK, is_harmless, loggable
from mainsheet.server.settings import LogFormat

Render = Callable[[EventDict], str]
TO_QUOTE = re.compile(r"[ \t=\r\n\"']")


def renderer(log_format: LogFormat) -> Processor:
    """Return the last processor of all lines."""
    if log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_encoded)
    # The default formatter prints local variables, which may contain tokens and data.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=_has_colors(log_format), exception_formatter=plain)


def quick_renderer(log_format: LogFormat) -> Render:
    """Return a function that renders a complete line without an exception as the processors do, but faster."""
    usual = renderer(log_format)

    def completely(event: EventDict) -> str:
        return str(usual(None, "", loggable_event(None, "", event)))

    def quickly(event: EventDict) -> str:
        line = _encoded(event) if log_format == "json" else _console_line(event)
        return line if is_harmless(line) else completely(event)

    return completely if _has_colors(log_format) else quickly


def _has_colors(log_format: LogFormat) -> bool:
    return log_format == "console" and sys.stderr.isatty()


def loggable_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Shorten and redact every value."""
    return {
        name: loggable(value, LONGEST_TRACEBACK if name == "exception" else LONGEST) for name, value in event.items()
    }


def _encoded(event: EventDict, **_options: Any) -> str:
    """Encode a line, by `json` if it has what `orjson` refuses: a lone surrogate or a huge number."""
    try:
        return orjson.dumps(event, default=str).decode()
    except orjson.JSONEncodeError:
        return json.dumps(event, default=str)


def _console_line(event: EventDict) -> str:
    """Return the line of structlog's `ConsoleRenderer` without colors."""
    fields = dict(event)
    moment, level, name, logger = (fields.pop(each) for each in ("timestamp", "level", "event", "logger"))
    shown = [f" {key}={_shown(fields[key])}" for key in sorted(fields)]
    return f"{moment} [{level:<9}] {name:<30} [{logger}]{''.join(shown)}"


def _shown(value: object) -> str:
    if isinstance(value, str) and (value.isalnum() or not TO_QUOTE.search(value)):
        return value
    return repr(value)
