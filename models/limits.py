"""The limits of every text and number a caller may send."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.errors import Invalid, Path

MAX_INT = 2**31 - 1  # GraphQL's Int, October 2021 §3.5.1


@dataclass(frozen=True)
class Text:
    """Lengths are in Unicode code points."""

    minimum: int = 0
    maximum: int = MAX_INT
    pattern: str | None = None
    form: str = ""  # the pattern in words

    def check(self, value: str, path: Path) -> Iterator[Invalid]:
        if not self.minimum <= len(value) <= self.maximum:
            yield Invalid(
                path=path,
                reason=f"Must be {self.minimum} to {self.maximum} characters long, but is {len(value)}.",
                minimum=self.minimum,
                maximum=self.maximum,
            )
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield Invalid(path=path, reason=f"Must be {self.form}, but is {value!a}.", pattern=self.pattern)
        elif not storable(value):
            yield Invalid(path=path, reason="Must hold neither U+0000 nor a lone surrogate.")


@dataclass(frozen=True)
class Number:
    minimum: int = 0
    maximum: int = MAX_INT
    text: str = "Must be {minimum} to {maximum}, but is {value}."

    def check(self, value: int, path: Path) -> Iterator[Invalid]:
        if not self.minimum <= value <= self.maximum:
            yield Invalid(
                path=path,
                reason=self.text.format(minimum=self.minimum, maximum=self.maximum, value=value),
                minimum=self.minimum,
                maximum=self.maximum,
            )


def storable(value: str) -> bool:
    """Whether both databases can keep the text: PostgreSQL has no U+0000, UTF-8 no surrogates."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


NAME = Text(1, 255)
DESCRIPTION = Text(0, 1023)
MESSAGE = Text(0, 1023)
JOB_KEY = Text(
    1, 100, r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case letters and digits in groups joined by single hyphens, as in etl-2"
)
CRON = Text(1, 100)
TIMEZONE = Text(1, 64)
SQL = Text(1, 8191)
LOCATION = Text(1, 1023)
ARGUMENT = Text(0, 8191)
LENGTH = "Must have {minimum} to {maximum} entries, but has {value}."
SAVED_QUERIES = Number(1, 50, LENGTH)
ENTRIES = Number(0, 100, LENGTH)
RETRIES = Number(0, 10)
RETRY_DELAY = Number(0)
TIMEOUT = Number(1)
EXECUTORS = Number(0)
CONCURRENT_RUNS = Number(1)
PAGE_SIZE = Number(0, 100)
PAGE = Number(1)
FIRE_TIMES = Number(0, 100)
FIRE_YEARS = range(2000, 3000)  # far enough from the ends of the calendar, which datetime can't leave
