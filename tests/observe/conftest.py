import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from mainsheet.models.member import Member
from tests.live.conftest import Live, live, start
from tests.server.conftest import json_log

__all__ = ["json_log", "live", "start"]


@dataclass(frozen=True)
class Log:
    written: StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    def last(self, event: str) -> dict[str, Any]:
        return self.of(event)[-1]


@pytest.fixture
def log(json_log: StringIO) -> Log:
    return Log(json_log)


async def ask(
    live: Live, sender: Member | str, query: str, headers: Mapping[str, str] | None = None, **variables: Any
) -> dict[str, Any]:
    """Send an operation as a member, or with a token."""
    secret = sender if isinstance(sender, str) else await live.secret(sender)
    body = {"query": query, "variables": variables}
    async with live.http.post(
        "/graphql", json=body, headers={"Authorization": f"Bearer {secret}", **(headers or {})}
    ) as response:
        answer: dict[str, Any] = await response.json()
        return answer
