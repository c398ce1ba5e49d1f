from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.demo.life import Life
from mainsheet.demo.organization import Settlement
from mainsheet.demo.runs import leases_of, runs_of
from mainsheet.demo.tenant import HARBOR, LAGOON
from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from mainsheet.models.member import Member

SEED_LOCK = 0x4D41494E53484546  # another key than that of migrations, which must not wait for each other


async def seed_demo(database: Database, progress: Callable[[int], None] = lambda _done: None) -> None:
    """Create both organizations in one transaction, unless there is a member of `harbor`, which may have been renamed.

    `progress` gets the number of jobs done.
    """
    now, done = datetime.now(UTC), 0
    async with AsyncSession(database.writes) as session, session.begin():
        if not database.is_sqlite:  # which has one writer anyway
            await session.execute(text(f"SELECT pg_advisory_xact_lock({SEED_LOCK})"))
        own = Member.email.in_([each.email for each in HARBOR.people])
        if await session.scalar(select(Member.id).where(own).limit(1)):
            return
        for settlement in (Settlement.found(HARBOR, now), Settlement.found(LAGOON, now)):
            await _settle(session, settlement)
            for story in sorted(settlement.tenant.stories, key=lambda each: -each.born):
                chance = Random(story.key)  # noqa: S311
                life = settlement.live(story, chance)
                await _keep(session, life, list(runs_of(life, now, story.doing, chance)), now)
                progress(done := done + 1)


async def _settle(session: AsyncSession, settlement: Settlement) -> None:
    for rows in settlement.stages():
        session.add_all(rows)
        await session.flush()


async def _keep(session: AsyncSession, life: Life, runs: list[JobRun], now: datetime) -> None:
    """Add the job and flush it first: without relationships the session doesn't know what refers to it."""
    life.job.list_run(runs[-1] if runs else None)
    session.add(life.job)
    session.add_all(life.events)
    await session.flush()
    session.add_all(runs)
    await session.flush()
    session.add_all(leases_of(runs, now))
