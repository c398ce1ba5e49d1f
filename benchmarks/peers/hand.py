"""What a person writes for these three answers alone: a flat statement for each level, comprehensions, orjson."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

from benchmarks.peers.handler import Fetch, serve

Json = dict[str, Any]


async def point(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    jobs = await fetch("job", caller, variables["key"])
    if not jobs:
        return answer(jobByKey=None)
    ((id_, key, description, status, created, updated, current),) = jobs
    ((_, *version, cluster_id),) = await fetch("currentVersions", [id_], [current])
    ((*cluster,),) = await fetch("clusters", [cluster_id])
    version_id, number, version_status, cron, timezone, published = version
    return answer(
        jobByKey={
            "id": id_,
            "jobKey": key,
            "description": description,
            "status": status,
            "createdAt": created,
            "updatedAt": updated,
            "currentVersion": {
                "id": version_id,
                "number": number,
                "status": version_status,
                "schedule": {"cron": cron, "timezone": timezone},
                "publishedAt": published,
                "cluster": named(cluster),
            },
        }
    )


async def dashboard(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    ((member_id, member_name, organization),) = await fetch("member", caller)
    jobs, ((total,),) = await asyncio.gather(
        fetch("visible", organization, caller, variables["limit"]), fetch("total", organization, caller)
    )
    ids = [job[0] for job in jobs]
    grants, versions, runs = await asyncio.gather(
        fetch("teamsOfJobs", ids),
        fetch("currentVersions", ids, [job[6] for job in jobs]),
        fetch("latestRuns", ids),
    )
    clusters = {row[0]: named(row) for row in await fetch("clusters", list({version[7] for version in versions}))}
    teams = defaultdict(list)
    for job, id_, name in grants:
        teams[job].append({"id": id_, "name": name})
    current = {
        job: {
            "number": number,
            "schedule": {"cron": cron, "timezone": timezone},
            "publishedAt": published,
            "cluster": clusters[cluster],
        }
        for job, _, number, _, cron, timezone, published, cluster in versions
    }
    latest = {job: {"id": id_, "status": status, "createdAt": created} for job, id_, status, created in runs}
    nodes = [
        {
            "id": id_,
            "jobKey": key,
            "description": description,
            "status": status,
            "createdAt": created,
            "updatedAt": updated,
            "teams": {"nodes": teams[id_]},
            "currentVersion": current[id_],
            "latestRun": latest.get(id_),
        }
        for id_, key, description, status, created, updated, _ in jobs
    ]
    actor = {"id": member_id, "displayName": member_name}
    return answer(me={"actor": actor, "jobs": {"totalCount": total, "nodes": nodes}})


async def nested(fetch: Fetch, caller: str, variables: Mapping[str, Any]) -> bytes:
    teams = await fetch("teams", caller, 10)
    jobs = await fetch("jobsOfTeams", [team[0] for team in teams], caller, variables["jobs"])
    versions = await fetch("versionsOfJobs", list({job[1] for job in jobs}), variables["versions"])
    clusters = {id_: {"name": name} for id_, name, _ in await fetch("clusters", list({each[4] for each in versions}))}
    of_job, of_team = defaultdict(list), defaultdict(list)
    for job, id_, number, status, cluster in versions:
        of_job[job].append({"id": id_, "number": number, "status": status, "cluster": clusters[cluster]})
    for team, id_, key, status in jobs:
        of_team[team].append({"id": id_, "jobKey": key, "status": status, "versions": {"nodes": of_job[id_]}})
    nodes = [{"id": id_, "name": name, "jobs": {"nodes": of_team[id_]}} for id_, name in teams]
    return answer(teams={"nodes": nodes})


def named(row: Any) -> Json:
    return {"id": row[0], "name": row[1], "status": row[2]}


def answer(**data: Any) -> bytes:
    return orjson.dumps({"data": data})


if __name__ == "__main__":
    serve({"point": point, "dashboard": dashboard, "nested": nested}, "statements.sql")
