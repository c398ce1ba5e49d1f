"""The rows of `harbor` that generated jobs use, and the template stories made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Self

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.demo.bulk_rows import EARLIER_SECONDS, key_of
from mainsheet.demo.life import Life, Names, Step, Story, drafted, paused, published, rolled_back, versioned
from mainsheet.demo.parts import at, file, queries, sql, variables, wheel
from mainsheet.demo.runs import runs_of
from mainsheet.demo.tenant import EDITORS, HARBOR
from mainsheet.models.actor import ActorStatus
from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.edit import Edit
from mainsheet.models.errors import MainsheetError
from mainsheet.models.job import Job
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRun
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.references import References
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team, TeamMember

AGE_DAYS = 60
RUNS = 10
UPSTREAM = 5
MOST_TEAMS = 3
OLDEST = timedelta(days=AGE_DAYS, seconds=EARLIER_SECONDS)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECTS = ("Orders", "Refunds", "Customers", "Parcels", "Invoices", "Clicks", "Prices", "Sensors")
VERBS = ("to warehouse", "clean-up", "export", "quality check", "roll-up", "forecast", "archive", "sync")
CRONS = ("5 * * * *", "*/30 * * * *", "0 4 * * *", "30 6 * * *", "0 */6 * * *", "15 22 * * *")
TIMEZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney")
INSTANCES = ("m6i.large", "m6i.xlarge", "r6i.2xlarge")


class NotSeeded(MainsheetError):
    """The demo organization, or something that jobs refer to, is missing."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"Jobs are generated for the organization harbor, but there is no {missing}.")


@dataclass(frozen=True)
class TemplateJobs:
    """Makes template jobs from the rows of `harbor`."""

    organization_id: str
    until: datetime  # the time of the latest change, up to which jobs are generated
    clusters: Sequence[str]
    queries: Sequence[str]
    teams: Sequence[str]
    admins: Sequence[str]
    editors: Mapping[str, frozenset[str]]  # of each team
    upstream: Sequence[str]

    @classmethod
    async def find(cls, connection: AsyncConnection) -> Self:
        """Read the existing rows. Raises `NotSeeded` if something is missing."""
        of = await harbor(connection)

        async def some(what: str, found: Select[str]) -> Sequence[str]:
            return (await connection.scalars(found)).all() or _refuse(what)

        until = await latest_change(connection, of)
        active = Cluster.status == ClusterStatus.ACTIVE
        admin = Member.organization_role == OrganizationRole.ADMIN
        return cls(
            organization_id=of,
            until=until,
            clusters=await some("active cluster", _ids(Cluster, of).where(active)),
            queries=await some("saved query", _ids(SavedQuery, of)),
            teams=await some("team", _ids(Team, of)),
            admins=await some("administrator", _ids(Member, of).where(admin)),
            editors=await _editors(connection, of),
            upstream=await _upstream(connection, of, until),
        )

    def make(self, index: int, chance: Random) -> tuple[Life, list[JobRun]]:
        """Execute the story of one job with five versions and ten runs."""
        story = self._story(index, chance)
        authors = self._authors(story.teams)
        names = Names(*(dict(zip(each, each, strict=True)) for each in (self.clusters, self.queries, self.teams)))
        names.jobs.update(zip(self.upstream, self.upstream, strict=True))
        references = References(
            clusters=dict.fromkeys(self.clusters, ClusterStatus.ACTIVE),
            queries=frozenset(self.queries),
            jobs=frozenset(self.upstream),
        )
        begun = Edit(chance.choice(authors), self.until - timedelta(days=story.born))
        life = Life.begin(story, self.organization_id, names, references, begun)
        for days, step in story.steps:
            life.take(step, chance.choice(authors), self.until - timedelta(days=days))
        finished = [each for each in runs_of(life, self.until, None, chance) if each.finished_at]
        life.job.list_run(finished[-1])
        return life, finished[-RUNS:]

    def _story(self, index: int, chance: Random) -> Story:
        name = f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)}"
        return Story(
            key_of(index, name),
            name,
            self._teams(chance),
            AGE_DAYS,
            self._config(chance),
            chance.choice((None, f"{name}, as agreed with the team that asked for it.")),
            [*_middle(chance), *_end(index, chance)],
        )

    def _teams(self, chance: Random) -> Sequence[str]:
        """Return some consecutive teams, which have members in common."""
        first = chance.randint(0, max(len(self.teams) - MOST_TEAMS, 0))
        near = self.teams[first : first + MOST_TEAMS]
        return chance.sample(near, chance.randint(1, len(near)))

    def _config(self, chance: Random) -> dict[str, Any]:
        after = chance.sample(self.upstream, chance.randint(0, min(2, len(self.upstream))))
        return {
            "cluster": chance.choice(self.clusters),
            "source": self._source(chance),
            "schedule": chance.choice((None, _schedule(chance), _schedule(chance), _schedule(chance))),
            "after": {each: chance.choice(list(DependencyCondition)) for each in after},
            "max_retries": chance.randint(0, 4),
            "retry_delay_seconds": chance.choice((0, 30, 300)),
        }

    def _source(self, chance: Random) -> dict[str, Any]:
        table = f"raw.table_{chance.randrange(1000)}"
        return chance.choice(
            (
                queries(*chance.sample(self.queries, chance.randint(1, min(3, len(self.queries))))),
                sql(f"SELECT * FROM {table} WHERE day = :day", f"git:sql/{table}.sql"),  # noqa: S608
                wheel("harbor-jobs", "harbor_jobs.tables:run", f"1.{chance.randrange(20)}.0", table),
                file(f"s3://harbor-jobs/{table}.py", "--day", "yesterday"),
            )
        )

    def _authors(self, teams: Sequence[str]) -> Sequence[str]:
        """Return the contributors of all these teams, or the administrators if there are none."""
        return sorted(frozenset.intersection(*(self.editors.get(each, frozenset()) for each in teams))) or self.admins


def _middle(chance: Random) -> list[tuple[float, Step]]:
    environment = variables(BATCH_ROWS=str(chance.randrange(1000, 9000)))
    return [
        (47, versioned("Larger machines", compute={"driver_instance_type": chance.choice(INSTANCES)})),
        (36.2, drafted(environment=environment)),
        (36, published("Batches of another size")),
        (24, versioned("Another time of the day", schedule=_schedule(chance))),
    ]


def _end(index: int, chance: Random) -> list[tuple[float, Step]]:
    """Return the last steps: one job in ten keeps a draft, one in eight is rolled back, one in nine paused."""
    changes = {"timeout_seconds": chance.randrange(600, 7200)}
    if index % 10 == 0:
        return [(9, drafted(**changes))]
    steps: list[tuple[float, Step]] = [(12, versioned("A limit", **changes))]
    if index % 8 == 1:
        steps.append((10, rolled_back(4, "The limit was too short")))
    if index % 9 == 2:  # noqa: PLR2004
        steps.append((5, paused("Nobody reads it at the moment")))
    return steps


def _schedule(chance: Random) -> dict[str, Any]:
    return at(chance.choice(CRONS), chance.choice(TIMEZONES))


def _ids(model: type[Cluster | Member | SavedQuery | Team], organization_id: str) -> Select[str]:
    return select(model.id).where(model.organization_id == organization_id).order_by(model.id)


def _refuse(what: str) -> Sequence[str]:
    raise NotSeeded(f"{what} in it")


async def _editors(connection: AsyncConnection, organization_id: str) -> dict[str, frozenset[str]]:
    found = await connection.execute(
        select(TeamMember.team_id, TeamMember.actor_id)
        .join(Member, Member.id == TeamMember.actor_id)
        .where(TeamMember.organization_id == organization_id, TeamMember.role.in_(EDITORS))
        .where(Member.status == ActorStatus.ACTIVE)
    )
    editors: dict[str, frozenset[str]] = {}
    for team_id, actor_id in found:
        editors[team_id] = editors.get(team_id, frozenset()) | {actor_id}
    return editors


async def harbor(connection: AsyncConnection) -> str:
    of = await connection.scalar(select(Organization.id).where(Organization.name == HARBOR.name))
    if of is None:
        raise NotSeeded("such organization; seed the demo data first")
    return of


async def latest_change(connection: AsyncConnection, organization_id: str) -> datetime:
    latest = select(func.max(Job.updated_at)).where(Job.organization_id == organization_id)
    return await connection.scalar(latest) or LONG_AGO


async def _upstream(connection: AsyncConnection, organization_id: str, until: datetime) -> Sequence[str]:
    """Return the jobs to depend on: the oldest, which are older than every generated job."""
    oldest = (
        select(Job.id)
        .where(Job.organization_id == organization_id, Job.created_at < until - OLDEST)
        .order_by(Job.created_at, Job.id)
    )
    return (await connection.scalars(oldest.limit(UPSTREAM))).all()
