"""Compares the responses that clients got with what is stored."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.idempotency import IdempotencyRecord
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.team import Team
from tests.chaos.history import Contradiction, Shape, effect_of, fold
from tests.chaos.ledger import Effect, Ledger
from tests.chaos.steps import MARK


@dataclass(frozen=True)
class Stored:
    events: Sequence[Event]
    jobs: dict[str, Shape]
    keys: dict[str, Any]
    complaints: list[str]  # of SQLite about its own file

    @property
    def effects(self) -> Counter[Effect]:
        return Counter(map(effect_of, self.events))


@dataclass(frozen=True)
class Findings:
    """`lost`: acknowledged but not stored. `unasked`: stored more often than requested. `halves`: inconsistent."""

    lost: list[Any] = field(default_factory=list)
    unasked: list[Any] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)


async def compare(database_url: str, ledger: Ledger, team_id: str) -> Findings:
    stored = await _stored(database_url, team_id)
    return Findings(
        lost=list((ledger.done - stored.effects).elements()),
        unasked=list((stored.effects - ledger.done - ledger.unknown).elements()),
        halves=[
            *stored.complaints,
            *_torn_jobs(stored, team_id),
            *_torn_keys(stored, ledger),
            *_other_numbers(stored, ledger),
        ],
    )


def _torn_jobs(stored: Stored, team_id: str) -> Iterator[str]:
    """Yield jobs that differ from their history, and jobs or histories without the other."""
    histories = defaultdict(list)
    for event in stored.events:
        histories[event.subject_id].append(event)
    for job_id in histories.keys() | stored.jobs.keys():
        try:
            folded = fold(histories[job_id], team_id)
        except (Contradiction, KeyError, ValueError) as error:
            yield f"{job_id}: its history contradicts itself: {error}"
            continue
        if folded != stored.jobs.get(job_id):
            yield f"{job_id}: by its events {folded}, in its tables {stored.jobs.get(job_id)}"


def _torn_keys(stored: Stored, ledger: Ledger) -> Iterator[str]:
    """Yield idempotency keys that are stored without their change, and changes without their key."""
    done = {each.mark for each in stored.effects if each in ledger.keyed}
    yield from (f"the key {key} has no work" for key in stored.keys.keys() - done)
    yield from (f"the work {mark} has no key" for mark in done - stored.keys.keys())
    yield from (f"the key {key} has no answer" for key, answer in stored.keys.items() if not answer)


def _other_numbers(stored: Stored, ledger: Ledger) -> Iterator[str]:
    for event in stored.events:
        if ledger.numbers.get(effect_of(event), event.to_version_number) != event.to_version_number:
            yield f"{effect_of(event)} was acknowledged with another number than {event.to_version_number}"


async def _stored(database_url: str, team_id: str) -> Stored:
    """Read the jobs of the team's organization, their events and all idempotency keys of the organization."""
    database = Database.open(database_url)
    try:
        async with AsyncSession(database.reads) as session:
            own = (await session.get_one(Team, team_id)).organization_id
            ordered = select(Event).where(Event.organization_id == own, Event.job_id.is_not(None))
            events = (await session.scalars(ordered.order_by(Event.job_id, Event.number))).all()
            of_keys = select(IdempotencyRecord).where(IdempotencyRecord.organization_id == own)
            keys = {each.key: each.answer for each in await session.scalars(of_keys)}
            complaints = await _complaints(session) if database.is_sqlite else []
            return Stored(events, await _jobs(session, own), keys, complaints)
    finally:
        await database.close()


async def _complaints(session: AsyncSession) -> list[str]:
    intact = (await session.scalars(text("PRAGMA integrity_check"))).all()
    dangling = (await session.execute(text("PRAGMA foreign_key_check"))).all()
    return [each for each in intact if each != "ok"] + [f"a foreign key leads nowhere: {each}" for each in dangling]


async def _jobs(session: AsyncSession, organization_id: str) -> dict[str, Shape]:
    jobs: dict[str, Shape] = {}
    for job in await session.scalars(select(Job).where(Job.organization_id == organization_id)):
        jobs[job.id] = Shape(
            job.name, set(), job.revision, job.event_count, last=job.last_number, current=job.current_number
        )
    for version in await session.scalars(select(JobVersion).where(JobVersion.organization_id == organization_id)):
        shape = jobs[version.job_id]
        shape.versions[version.number] = next(each["value"] for each in version.environment if each["name"] == MARK)
        if version.status is JobVersionStatus.DRAFT:
            shape.draft = version.number
    for grant in await session.scalars(select(JobTeam).where(JobTeam.organization_id == organization_id)):
        jobs[grant.job_id].teams.add(grant.team_id)
    return jobs
