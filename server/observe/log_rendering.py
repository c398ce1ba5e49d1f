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
LINES = ("event", "exception", "stack")  # the values that a console shows as they are, over several lines
TO_QUOTE = re.compile(r"[ \t=\r\n\"']")


def renderer(log_format: LogFormat) -> Processor:
    """Return the last processor of all lines."""
    if log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_encoded)
    # The default formatter prints local variables, which may contain tokens and data.
    plain = structlog.dev.plain_traceback
    console = structlog.dev.ConsoleRenderer(colors=_has_colors(log_format), exception_formatter=plain)
    return lambda logger, method, event: console(logger, method, _legible(event))


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
        return _escaped(value)
    return repr(value)


def _legible(event: EventDict) -> EventDict:
    """Escape what a terminal would obey, such as its control sequences in a path that a client sent.

    The console's renderer quotes other values itself.
    """
    return {name: _legible_value(name, each) if isinstance(each, str) else each for name, each in event.items()}


def _legible_value(name: str, value: str) -> str:
    if name in LINES:
        return "\n".join(map(_escaped, value.split("\n")))
    return value if TO_QUOTE.search(value) else _escaped(value)


def _escaped(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
