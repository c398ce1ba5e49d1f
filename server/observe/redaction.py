"""Removes secrets and shortens long values in output for people: settings, hints, errors, the log."""

import re
from typing import Any

MASK = "***"
LONGEST = 1_000  # characters of one value in a log line, such as a path that a client sent
LONGEST_TRACEBACK = 20_000
MOST_ITEMS = 50

# A password, which follows a colon, may have a `/` that isn't encoded. Without a colon, an `@` may belong to the path.
# Bounded lengths keep the search linear in a long text without a match. Our errors show the form of a URL.
USERINFO = re.compile(r"(?<=://)(?!USER:PASSWORD@)(?:[^\s/?#\"'<>]{1,500}|[^\s:\"'<>]{0,500}:[^\s\"'<>]{0,500})@")
SUSPECTS = ("://", "mst_", "whsec_", "eyJ")
SUSPECT = re.compile("|".join(SUSPECTS))  # every text is searched for it, and few have it
# Our tokens, secrets of webhooks, and JWTs.
TOKEN = re.compile(r"(?<![\w-])(mst_|whsec_|eyJ)[\w+/=.-]{8,8000}")
PARAMETER = re.compile(r"([?&;][^\s=&]{0,50}(?:pass|secret|token)[^\s=&]{0,50}=)[^\s&\"'<>]+", re.IGNORECASE)
# Of a text that is a URL, so that its parts may have any characters.
URL_USERINFO = re.compile(r"(?<=://)(?:[^/?#]+|[^:]*:.*)@", re.DOTALL)
URL_PARAMETER = re.compile(r"([?&;][^=&]*(?:pass|secret|token)[^=&]*=)[^&]+", re.IGNORECASE | re.DOTALL)
DETAIL_BEGINS = "DETAIL:  "
# PostgreSQL's description of an error, which quotes the row. It may have several lines.
DETAIL = re.compile(
    rf"(?<=\b{DETAIL_BEGINS}).+?(?=\n[ |]*(?:HINT:  |\[SQL: |The above exception|During handling)|\Z)", re.DOTALL
)
SUSPECT_LINE = (*SUSPECTS, DETAIL_BEGINS)


def is_harmless(line: str) -> bool:
    """Tell quickly whether `loggable` would leave all values of a line of the log as they are."""
    return len(line) <= LONGEST and not any(each in line for each in SUSPECT_LINE)


def without_secrets(text: str) -> str:
    """Mask tokens, and the userinfo and the secret parameters of each URL in a text."""
    if SUSPECT.search(text) is None:
        return text
    text = TOKEN.sub(rf"\1{MASK}", text)
    return PARAMETER.sub(rf"\1{MASK}", USERINFO.sub(f"{MASK}@", text))


def url_without_secrets(url: str) -> str:
    """Mask the userinfo and the secret parameters of a URL, also if they have spaces, quotes or `<`."""
    return without_secrets(URL_USERINFO.sub(f"{MASK}@", URL_PARAMETER.sub(rf"\1{MASK}", url)))


def shortened(text: str, longest: int = LONGEST) -> str:
    """Remove the middle of a text that is too long."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def loggable(value: Any, longest: int = LONGEST) -> Any:
    """Return a value of a log line without secrets and rows of the database, and of bounded length."""
    if isinstance(value, str):
        return shortened(without_secrets(DETAIL.sub(MASK, value)), longest)  # a part of a token can't be recognized
    if isinstance(value, list | tuple):
        return [loggable(each, longest) for each in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {name: loggable(each, longest) for name, each in value.items()}
    return value
