"""Before anything is timed: every server's answer holds the same data."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from benchmarks.load import ask
from benchmarks.servers import Running
from benchmarks.workloads import WORKLOADS, Call

MOMENTS = {"createdAt", "updatedAt", "publishedAt"}


class AnswersDiffer(Exception):
    """Two servers gave different data for the same operation and caller."""


async def verify(servers: Sequence[Running], calls: Sequence[Call]) -> dict[str, int]:
    """Return the size of the answer to each workload, in bytes of the first server; raise `AnswersDiffer`."""
    sizes = {}
    for workload in WORKLOADS:
        for call in calls:
            bodies = {each.server.title: await ask(*each.request(workload, call)) for each in servers}
            expected, *others = [(title, alike(orjson.loads(body)["data"])) for title, body in bodies.items()]
            for title, answer in others:
                if answer != expected[1]:
                    raise AnswersDiffer(f"{title} and {expected[0]} differ on {workload.name} for {call.actor_id}")
            sizes[workload.name] = len(bodies[expected[0]])
        _check_shape(workload.name, expected[1])
    return sizes


def alike(data: Any) -> Any:
    """Undo what differs in form only: how a moment is written, and the wrappers of PostGraphile's schema."""
    return _moments(_rewrapped(data["actorByRowId"]) if "actorByRowId" in data else data)


def _moments(value: Any) -> Any:
    if isinstance(value, list):
        return [_moments(each) for each in value]
    if isinstance(value, dict):
        return {
            key: datetime.fromisoformat(each) if key in MOMENTS and each else _moments(each)
            for key, each in value.items()
        }
    return value


def _rewrapped(member: Any) -> Any:
    if "jobByKey" in member:
        return {"jobByKey": next((_job(each) for each in member["jobByKey"]["nodes"]), None)}
    if "teams" in member:
        return {"teams": member["teams"]}
    jobs = member["jobs"]
    return {
        "me": {
            "actor": {"id": member["id"], "displayName": member["name"]},
            "jobs": {"totalCount": jobs["totalCount"], "nodes": [_job(each) for each in jobs["nodes"]]},
        }
    }


def _job(job: Any) -> Any:
    version = dict(job["currentVersion"])
    version["schedule"] = {"cron": version.pop("cron"), "timezone": version.pop("timezone")}
    runs = {"latestRun": next(iter(job["latestRun"]["nodes"]), None)} if "latestRun" in job else {}
    return {**job, "currentVersion": version, **runs}


def _check_shape(name: str, data: Any) -> None:
    """Raise where the data is thinner than the workload's name says."""
    full: Mapping[str, Callable[[], Any]] = {
        "point": lambda: data["jobByKey"]["currentVersion"]["cluster"],
        "dashboard": lambda: len(data["me"]["jobs"]["nodes"]) == 100,  # noqa: PLR2004
        "nested": lambda: sum(len(job["versions"]["nodes"]) for job in _jobs(data)) == 10 * 20 * 5,
    }
    if not full[name]():
        raise AnswersDiffer(f"The data is too small for {name}")


def _jobs(data: Any) -> list[Any]:
    return [job for team in data["teams"]["nodes"] for job in team["jobs"]["nodes"]]
