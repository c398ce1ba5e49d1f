"""The one-statement limit: PostgreSQL builds the whole answer, Python passes its bytes on."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.handler import Fetch, serve


async def point(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    return text(await fetch("point", caller, variables["key"]))


async def dashboard(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    return text(await fetch("dashboard", caller, variables["limit"]))


async def nested(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    return text(await fetch("nested", caller, 10, variables["jobs"], variables["versions"]))


def text(rows: Sequence[Sequence[str]]) -> bytes:
    return rows[0][0].encode()


if __name__ == "__main__":
    serve({"point": point, "dashboard": dashboard, "nested": nested}, "whole.sql")
