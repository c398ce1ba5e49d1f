"""The teams, members and clusters that the generated jobs of `harbor` need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.actor import ActorStatus
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.models.team import Team, TeamMember

JOBS_A_TEAM, JOBS_A_MEMBER, JOBS_A_CLUSTER = 200, 50, 1000
SETTLED = timedelta(days=270)  # the age of the rows: younger than the demo's, older than every generated job
ROLES = (TeamRole.ADMIN, TeamRole.CONTRIBUTOR, TeamRole.CONTRIBUTOR, TeamRole.CONTRIBUTOR, TeamRole.VIEWER)
TEAMS_OF_MANY, EACH = 50, 100  # one in a hundred members is in fifty teams
STEP = 7
REGIONS = ("eu-central-1", "us-east-1", "ap-southeast-2")
FIRST_NAMES = (
    "Aino",
    "Bram",
    "Chloé",
    "Dario",
    "Esra",
    "Farid",
    "Greta",
    "Hugo",
    "Ivana",
    "Jun",
    "Kofi",
    "Léa",
    "Milan",
)
LAST_NAMES = (
    "Andersen",
    "Bianchi",
    "Costa",
    "Dvořák",
    "Eriksen",
    "Fischer",
    "García",
    "Horvat",
    "Ito",
    "Jansen",
    "Khan",
)


@dataclass(frozen=True)
class Crowd:
    organization_id: str
    settled: datetime
    seed: int

    async def of(self, connection: AsyncConnection, jobs: int) -> Sequence[Base]:
        """Return the rows that are missing for this many jobs, in the order of foreign keys."""
        teams = [self._team(number) for number in await self._missing(connection, Team, jobs // JOBS_A_TEAM)]
        members = [self._member(number) for number in await self._missing(connection, Member, jobs // JOBS_A_MEMBER)]
        numbers = await self._missing(connection, Cluster, jobs // JOBS_A_CLUSTER)
        own = select(Team.id).where(Team.organization_id == self.organization_id)
        team_ids = sorted([*await connection.scalars(own), *(each.id for each in teams)])
        memberships = [each for member in members for each in self._memberships(member, team_ids)]
        return [*teams, *members, *map(self._cluster, numbers), *memberships]

    async def _missing(
        self, connection: AsyncConnection, model: type[Team | Member | Cluster], wanted: int
    ) -> Sequence[int]:
        own = select(func.count()).select_from(model).where(model.organization_id == self.organization_id)
        return range(1 + (await connection.scalar(own) or 0), 1 + wanted)

    def _team(self, number: int) -> Team:
        description = f"Looks after area {number}"
        return Team(**self._named(Team.PREFIX, f"fleet-{number:04}", number), description=description, revision=1)

    def _member(self, number: int) -> Member:
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}"
        return Member(
            **self._named(Member.PREFIX, name, number),
            email=f"fleet-{number:05}@harbor.example",
            organization_role=OrganizationRole.MEMBER,
            status=ActorStatus.ACTIVE,
            revision=1,
        )

    def _cluster(self, number: int) -> Cluster:
        region = REGIONS[number % len(REGIONS)]
        own = self._named(Cluster.PREFIX, f"fleet-{number:03}", number)
        return Cluster(**own, region=region, status=ClusterStatus.ACTIVE, revision=1)

    def _named(self, prefix: str, name: str, number: int) -> dict[str, str]:
        """Return an id that grows with the number, so that rows keep their order by id."""
        chance = Random(f"{self.seed}:{prefix}:{number}")  # noqa: S311
        at = self.settled + timedelta(seconds=number)
        return {"id": new_id(prefix, at, chance), "organization_id": self.organization_id, "name": name}

    def _memberships(self, member: Member, team_ids: Sequence[str]) -> Iterator[TeamMember]:
        """Yield memberships in consecutive teams, so that these have members in common who can share jobs with them."""
        number = int(member.email[len("fleet-") :].partition("@")[0])
        size = TEAMS_OF_MANY if number % EACH == 0 else len(ROLES)
        for position in range(min(size, len(team_ids))):
            yield TeamMember(
                organization_id=self.organization_id,
                team_id=team_ids[(number * STEP + position) % len(team_ids)],
                actor_id=member.id,
                role=ROLES[position % len(ROLES)],
            )
