"""Strawberry with SQLAlchemy and DataLoaders as their documentation shows them.

ORM entities, a session for each load since loads run concurrently, loaders made for each request; its caches for
parsed and validated documents are on, and it runs on uvloop.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
import uvloop
from aiohttp import web
from sqlalchemy import Select, Text, cast, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import aliased
from strawberry.aiohttp.views import GraphQLView
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.peers import stock_tables as tables
from benchmarks.peers.handler import CONNECTIONS, listen

url = os.environ["BENCH_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:")
Session = async_sessionmaker(create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0), expire_on_commit=False)


def seen_by(caller: str) -> Select[str]:
    """Select the jobs that the caller sees through a team."""
    return (
        select(tables.JobTeam.job_id)
        .join(tables.TeamMember, tables.TeamMember.team_id == tables.JobTeam.team_id)
        .where(tables.TeamMember.actor_id == caller)
    )


def unnested(ids: Sequence[str]) -> Any:
    return func.unnest(cast(list(ids), ARRAY(Text))).table_valued("id").render_derived("wanted")


async def load_clusters(ids: list[strawberry.ID]) -> list["Cluster"]:
    async with Session() as session:
        rows = await session.scalars(select(tables.Cluster).where(tables.Cluster.id.in_(ids)))
        found = {row.id: Cluster(id=row.id, name=row.name, status=row.status) for row in rows}
    return [found[each] for each in ids]


async def load_current_versions(keys: list[tuple[str, int]]) -> list["JobVersion"]:
    version = tables.JobVersion
    async with Session() as session:
        rows = await session.scalars(select(version).where(tuple_(version.job_id, version.number).in_(keys)))
        found = {(row.job_id, row.number): JobVersion.of(row) for row in rows}
    return [found[each] for each in keys]


async def load_teams(job_ids: list[str]) -> list["TeamConnection"]:
    found = defaultdict(list)
    rows = (
        select(tables.JobTeam.job_id, tables.Team)
        .join(tables.Team, tables.Team.id == tables.JobTeam.team_id)
        .where(tables.JobTeam.job_id.in_(job_ids))
        .order_by(tables.Team.name, tables.Team.id)
    )
    async with Session() as session:
        for job_id, row in await session.execute(rows):
            found[job_id].append(Team(id=row.id, name=row.name))
    return [TeamConnection(nodes=found[each]) for each in job_ids]


async def load_latest_runs(job_ids: list[str]) -> list["JobRun | None"]:
    wanted, run = unnested(job_ids), tables.JobRun
    newest = (
        select(run).where(run.job_id == wanted.c.id).order_by(run.created_at.desc(), run.id.desc()).limit(1).lateral()
    )
    async with Session() as session:
        rows = await session.scalars(select(aliased(run, newest)).select_from(wanted.join(newest, true())))
        found = {row.job_id: JobRun(id=row.id, status=row.status, created_at=row.created_at) for row in rows}
    return [found.get(each) for each in job_ids]


async def load_versions(keys: list[tuple[str, int]]) -> list["JobVersionConnection"]:
    limit, version = keys[0][1], tables.JobVersion
    wanted, found = unnested([job_id for job_id, _ in keys]), defaultdict(list)
    published = (version.job_id == wanted.c.id) & (version.status == "PUBLISHED")
    page = select(version).where(published).order_by(version.number).limit(limit).lateral()
    async with Session() as session:
        for row in await session.scalars(select(aliased(version, page)).select_from(wanted.join(page, true()))):
            found[row.job_id].append(JobVersion.of(row))
    return [JobVersionConnection(nodes=found[job_id]) for job_id, _ in keys]


class Context:
    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.clusters = DataLoader(load_clusters)
        self.current_versions = DataLoader(load_current_versions)
        self.teams = DataLoader(load_teams)
        self.latest_runs = DataLoader(load_latest_runs)
        self.versions = DataLoader(load_versions)
        self.jobs = DataLoader(self.load_jobs)

    async def load_jobs(self, keys: list[tuple[str, int]]) -> list["JobConnection"]:
        limit, job, granted = keys[0][1], tables.Job, tables.JobTeam
        wanted, found = unnested([team_id for team_id, _ in keys]), defaultdict(list)
        page = (
            select(job)
            .join(granted, granted.job_id == job.id)
            .where(granted.team_id == wanted.c.id, job.id.in_(seen_by(self.caller)))
            .order_by(job.created_at, job.id)
            .limit(limit)
            .lateral()
        )
        async with Session() as session:
            rows = select(wanted.c.id, aliased(job, page)).select_from(wanted.join(page, true()))
            for team_id, row in await session.execute(rows):
                found[team_id].append(Job.of(row))
        return [JobConnection(nodes=found[team_id]) for team_id, _ in keys]


Info = strawberry.Info[Context, None]


@strawberry.type
class Cluster:
    id: strawberry.ID
    name: str
    status: str


@strawberry.type
class JobRun:
    id: strawberry.ID
    status: str
    created_at: datetime


@strawberry.type
class JobSchedule:
    cron: str
    timezone: str


@strawberry.type
class JobVersion:
    id: strawberry.ID
    number: int
    status: str
    schedule: JobSchedule | None
    published_at: datetime | None
    cluster_id: strawberry.Private[strawberry.ID]

    @strawberry.field
    async def cluster(self, info: Info) -> Cluster:
        return await info.context.clusters.load(self.cluster_id)

    @classmethod
    def of(cls, row: tables.JobVersion) -> "JobVersion":
        schedule = JobSchedule(cron=row.cron, timezone=row.timezone) if row.cron and row.timezone else None
        return cls(
            id=row.id,
            number=row.number,
            status=row.status,
            schedule=schedule,
            published_at=row.published_at,
            cluster_id=row.cluster_id,
        )


@strawberry.type
class JobVersionConnection:
    nodes: list[JobVersion]


@strawberry.type
class Job:
    id: strawberry.ID
    job_key: str
    description: str | None
    status: str
    created_at: datetime
    updated_at: datetime
    current_number: strawberry.Private[int]

    @strawberry.field
    async def teams(self, info: Info) -> "TeamConnection":
        return await info.context.teams.load(self.id)

    @strawberry.field
    async def current_version(self, info: Info) -> JobVersion:
        return await info.context.current_versions.load((self.id, self.current_number))

    @strawberry.field
    async def latest_run(self, info: Info) -> JobRun | None:
        return await info.context.latest_runs.load(self.id)

    @strawberry.field
    async def versions(self, info: Info, limit: int = 100) -> JobVersionConnection:
        return await info.context.versions.load((self.id, limit))

    @classmethod
    def of(cls, row: tables.Job) -> "Job":
        return cls(
            id=row.id,
            job_key=row.job_key,
            description=row.description,
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            current_number=row.current_number,
        )


@strawberry.type
class JobConnection:
    nodes: list[Job]
    organization_id: strawberry.Private[str | None] = None

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        own = tables.Job.organization_id == self.organization_id
        async with Session() as session:
            count = await session.scalar(
                select(func.count()).select_from(tables.Job).where(own, tables.Job.id.in_(seen_by(info.context.caller)))
            )
        return count or 0


@strawberry.type
class Team:
    id: strawberry.ID
    name: str

    @strawberry.field
    async def jobs(self, info: Info, limit: int = 100) -> JobConnection:
        return await info.context.jobs.load((self.id, limit))


@strawberry.type
class TeamConnection:
    nodes: list[Team]


@strawberry.type
class Member:
    id: strawberry.ID
    display_name: str


@strawberry.type
class Viewer:
    actor: Member
    organization_id: strawberry.Private[str]

    @strawberry.field
    async def jobs(self, info: Info, limit: int = 100) -> JobConnection:
        rows = (
            select(tables.Job)
            .where(tables.Job.organization_id == self.organization_id, tables.Job.id.in_(seen_by(info.context.caller)))
            .order_by(tables.Job.created_at, tables.Job.id)
            .limit(limit)
        )
        async with Session() as session:
            nodes = [Job.of(row) for row in await session.scalars(rows)]
        return JobConnection(nodes=nodes, organization_id=self.organization_id)


@strawberry.type
class Query:
    @strawberry.field
    async def me(self, info: Info) -> Viewer:
        async with Session() as session:
            row = await session.get_one(tables.Member, info.context.caller)
        return Viewer(actor=Member(id=row.id, display_name=row.name), organization_id=row.organization_id)

    @strawberry.field
    async def job_by_key(self, info: Info, job_key: str) -> Job | None:
        caller = info.context.caller
        own = tables.Job.organization_id == tables.organization_of(caller)
        rows = select(tables.Job).where(own, tables.Job.job_key == job_key, tables.Job.id.in_(seen_by(caller)))
        async with Session() as session:
            row = await session.scalar(rows)
        return Job.of(row) if row else None

    @strawberry.field
    async def teams(self, info: Info, limit: int = 100) -> TeamConnection:
        own = tables.Team.organization_id == tables.organization_of(info.context.caller)
        rows = select(tables.Team).where(own).order_by(tables.Team.name, tables.Team.id).limit(limit)
        async with Session() as session:
            return TeamConnection(nodes=[Team(id=row.id, name=row.name) for row in await session.scalars(rows)])


class View(GraphQLView[Context, None]):
    async def get_context(self, request: web.Request, response: web.StreamResponse) -> Context:  # noqa: ARG002
        return Context(request.headers["x-member-id"])


if __name__ == "__main__":
    schema = strawberry.Schema(
        Query, extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)]
    )
    app = web.Application()
    app.router.add_post("/graphql", View(schema=schema, graphql_ide=None))
    uvloop.run(listen(app, "/graphql"))
