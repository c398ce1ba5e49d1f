"""Three operations, each asked by many callers, and for each server the requests that ask for it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.load import post
from benchmarks.operations import DASHBOARD, DEPTHS, LIMITS, NESTED, POINT

POSTGRAPHILE = dict(
    re.findall(
        r"^(?=query (\w+))(.*?^\}\n)",
        (Path(__file__).parent / "peers" / "postgraphile.graphql").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


@dataclass(frozen=True)
class Call:
    """Who asks, and for which job where one job is asked for."""

    actor_id: str
    token: str
    job_key: str


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    document: str
    variables: Callable[[Call], dict[str, Any]]


WORKLOADS = (
    Workload("point", "W1: one job by its key", POINT, lambda call: {"key": call.job_key}),
    Workload("dashboard", "W2: 100 jobs with four relations", DASHBOARD, lambda _call: LIMITS),
    Workload("nested", "W3: 10 teams, 20 jobs each, 5 versions each", NESTED, lambda _call: DEPTHS),
)

Ask = Callable[[str, Workload, Call], tuple[str, bytes]]


def as_mainsheet(url: str, workload: Workload, call: Call) -> tuple[str, bytes]:
    return url, post(url, {"Authorization": f"Bearer {call.token}"}, _body(workload.document, workload.variables(call)))


def as_peer(url: str, workload: Workload, call: Call) -> tuple[str, bytes]:
    return url, post(url, _trusted(call), _body(workload.document, workload.variables(call)))


def as_postgraphile(url: str, workload: Workload, call: Call) -> tuple[str, bytes]:
    variables = {"caller": call.actor_id, **workload.variables(call)}
    return url, post(url, {}, _body(POSTGRAPHILE[workload.name], variables))


def as_endpoint(url: str, workload: Workload, call: Call) -> tuple[str, bytes]:
    """A path for each workload; the body is that of the others, only its variables are read."""
    path = f"{url}/{workload.name}"
    return path, post(path, _trusted(call), _body(workload.document, workload.variables(call)))


def _trusted(call: Call) -> dict[str, str]:
    return {"x-member-id": call.actor_id}


def _body(document: str, variables: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"query": document, "variables": variables})
