"""The limits of every text and number in a request."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mainsheet.models.errors import BadInput, Invalid, Path
from mainsheet.models.text import Form

MAX_INT = 2**31 - 1  # GraphQL's Int, October 2021 §3.5.1
SHOWN_DEPENDENTS = 100  # in the refusal to delete a job


@dataclass(frozen=True)
class Text:
    """The limits of a text. Lengths are in Unicode code points; a required text must not be blank."""

    minimum: int = 0
    maximum: int = MAX_INT
    form: Form = Form.CODE
    pattern: str | None = None
    pattern_in_words: str = ""

    def check(self, value: str, path: Path) -> Iterator[Invalid]:
        """Yield the problems of a text, which is already normalized if a caller sent it."""
        is_blank = self.minimum > 0 and not value.strip()
        if is_blank or not self.minimum <= len(value) <= self.maximum:
            actual = "blank" if is_blank else str(len(value))
            yield Invalid(
                path=path,
                reason=f"Must be {self.minimum} to {self.maximum} characters long, but is {actual}.",
                minimum=self.minimum,
                maximum=self.maximum,
            )
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield Invalid(path=path, reason=f"Must be {self.pattern_in_words}, but is {value!a}.", pattern=self.pattern)
        elif value != self.form.normal(value):
            yield Invalid(path=path, reason="Must have no spaces at its ends, and be in Unicode's normal form NFC.")
        elif character := next(self.form.forbidden(value), None):
            yield Invalid(path=path, reason=f"Must not contain the character U+{ord(character):04X}.")


def normal(texts: Mapping[str, Text], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, with the ones named in `texts` normalized."""
    return {
        name: texts[name].form.normal(value) if name in texts and isinstance(value, str) else value
        for name, value in values.items()
    }


def text_problems(texts: Mapping[str, Text], values: Mapping[str, Any], path: Path) -> Iterator[Invalid]:
    """Yield the problems of the values named in `texts`. None has no problems."""
    for name, text in texts.items():
        if (value := values.get(name)) is not None:
            yield from text.check(value, (*path, name))


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

    def argument(self, name: str, value: int) -> int:
        """Return a field's argument; raise `BadInput` if it is out of range."""
        if any(self.check(value, ())):
            raise BadInput(f"{name}: {value} is out of range, {self.minimum} to {self.maximum}.")
        return value


def storable(value: str) -> bool:
    """Return whether both databases can store the text: PostgreSQL can't store U+0000, UTF-8 has no surrogates."""
    return not any(Form.CODE.forbidden(value))


NAME = Text(1, 255, Form.NAME)
DESCRIPTION = Text(0, 1023, Form.PROSE)
MESSAGE = Text(0, 1023, Form.PROSE)
JOB_KEY = Text(
    1,
    100,
    pattern="[a-z0-9]+([-_][a-z0-9]+)*",
    pattern_in_words="lower-case letters and digits in groups joined by single hyphens or underscores, as in etl-2",
)
TAG = Text(
    1,
    63,
    pattern="[a-z0-9][a-z0-9_.:/-]{0,62}",
    pattern_in_words="lower-case letters, digits and _ . : / -, beginning with a letter or digit, as in team:finance",
)
VARIABLE_NAME = Text(
    1,
    255,
    pattern="[A-Za-z_][A-Za-z0-9_]{0,254}",
    pattern_in_words="letters A to Z, digits and underscores without a digit at the beginning, as in LOG_LEVEL",
)
ERASED_DOMAIN = "erased.invalid"  # of the addresses of erased members, which nobody else can have
EMAIL = Text(
    3,
    255,
    pattern=rf"[!-?A-~]+@(?!{re.escape(ERASED_DOMAIN)}$)[!-?A-~]+",
    pattern_in_words=f"an email address without spaces in ASCII, as in ada@acme.example, and not of {ERASED_DOMAIN}",
)
TOKENS_OF_ACTOR = 100  # that are valid
TOKENS_OF_ORGANIZATION = 10_000
TOKEN_SECONDS = Number(60, 10 * 366 * 86_400)
SCOPES = Number(1, 4, "Must have {minimum} to {maximum} entries, but has {value}.")
CRON = Text(1, 100)
TIMEZONE = Text(1, 64)
URL = Text(
    1,
    1023,
    pattern="[!-~]+",
    pattern_in_words="an address of ASCII characters without spaces, as in https://acme.example",
)
ID = Text(1, 20, pattern="[A-Z0-9]+", pattern_in_words="an id of upper-case letters and digits")
WEBHOOKS = 20  # of an organization
OVERLAP_SECONDS = Number(0, 30 * 86_400)
SQL = Text(1, 8191)
LOCATION = Text(1, 1023, Form.NAME)
ARGUMENT = Text(0, 8191)
SEARCH = Text(0, 255)
IDEMPOTENCY_KEY = Text(1, 255)
LENGTH = "Must have {minimum} to {maximum} entries, but has {value}."
SAVED_QUERIES = Number(1, 50, LENGTH)
ENTRIES = Number(0, 100, LENGTH)
BATCH = Number(1, 100, LENGTH)
TAGS = Number(0, 20, LENGTH)
RETRIES = Number(0, 10)
RETRY_DELAY = Number(0)
TIMEOUT = Number(1)
EXECUTORS = Number(0)
CONCURRENT_RUNS = Number(1)
PAGE_SIZE = Number(0, 100)
PAGE = Number(1)
CLAIMED_RUNS = Number(1, 100)
LEASE_SECONDS = Number(5, 3600)
PROGRESS = Number(0, 100)
FIRE_TIMES = Number(0, 100)
FIRE_YEARS = Number(2000, 2999)  # away from the years 1 and 9999, beyond which datetime overflows
