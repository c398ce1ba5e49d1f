from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from mainsheet.demo.inventory import NEVER_RAN
from mainsheet.demo.life import Life, Names, Story
from mainsheet.demo.people import Person, Program
from mainsheet.demo.tenant import Tenant
from mainsheet.models.actor import Actor
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.edit import Edit
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.references import References
from mainsheet.models.roles import JobPermission, OrganizationRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team, TeamMember

FOUNDED = timedelta(days=275)


@dataclass(frozen=True)
class Settlement:
    """A demo organization with the rows that its jobs refer to."""

    tenant: Tenant
    now: datetime
    organization: Organization
    members: Mapping[str, Member]
    accounts: Mapping[str, ServiceAccount]
    teams: Mapping[str, Team]
    clusters: Mapping[str, Cluster]
    queries: Mapping[str, SavedQuery]
    names: Names

    @classmethod
    def found(cls, tenant: Tenant, now: datetime) -> "Settlement":
        at = now - FOUNDED
        organization = Organization(id=new_id(Organization.PREFIX, at), name=tenant.name)
        members = {each.email: _member(each, organization.id, at) for each in tenant.people}
        accounts = {each.name: _account(each, organization.id, at) for each in tenant.programs}
        teams = {
            name: Team(
                id=new_id(Team.PREFIX, at), organization_id=organization.id, name=name, description=text, revision=1
            )
            for name, text in tenant.teams.items()
        }
        clusters = {name: _cluster(name, *values, organization.id, at) for name, values in tenant.clusters.items()}
        queries = {
            name: SavedQuery(
                id=new_id(SavedQuery.PREFIX, at), organization_id=organization.id, name=name, sql=text, revision=1
            )
            for name, text in tenant.queries.items()
        }
        names = Names(clusters=_ids(clusters), queries=_ids(queries), teams=_ids(teams))
        return cls(tenant, now, organization, members, accounts, teams, clusters, queries, names)

    def stages(self) -> Iterator[list[Base]]:
        """Yield the rows in the order of their foreign keys."""
        yield [self.organization]
        yield [*self.members.values(), *self.teams.values(), *self.clusters.values(), *self.queries.values()]
        yield list(self.accounts.values())
        yield [each for person in self.tenant.people for each in self._joined(self.members[person.email], person)]
        yield [each for program in self.tenant.programs for each in self._joined(self.accounts[program.name], program)]

    def _joined(self, actor: Actor, of: Person | Program) -> Iterator[TeamMember]:
        for team, role in of.teams.items():
            own = {"organization_id": self.organization.id, "team_id": self.teams[team].id, "actor_id": actor.id}
            yield TeamMember(**own, role=role)

    def live(self, story: Story, chance: Random) -> Life:
        """Execute the story up to now. The jobs that it depends on must exist already."""
        late = timedelta(minutes=chance.randrange(600))

        def moment(days: float) -> datetime:
            return self.now - timedelta(days=days) - late

        begun = Edit(self._actor(story, JobPermission.EDIT, chance), moment(story.born))
        life = Life.begin(story, self.organization.id, self.names, self._references(), begun)
        for days, step in story.steps:
            life.take(step, self._actor(story, step.needs, chance), moment(days))
        self.names.jobs[story.key] = life.job.id
        return life

    def _actor(self, story: Story, needs: JobPermission, chance: Random) -> str:
        """Return the member who makes the change: for teams the administrator, who needn't be in the added one."""
        managing = needs is JobPermission.MANAGE_TEAMS
        people = [self.tenant.admin] if managing else self.tenant.editors(story.teams)
        return self.members[chance.choice(people).email].id

    def _references(self) -> References:
        return References(
            clusters={
                each.id: each.status if each.status in NEVER_RAN else ClusterStatus.ACTIVE
                for each in self.clusters.values()
            },
            queries=frozenset(self.names.queries.values()),
            jobs=frozenset(self.names.jobs.values()),
        )


def _member(person: Person, organization_id: str, at: datetime) -> Member:
    return Member(
        id=new_id(Member.PREFIX, at),
        organization_id=organization_id,
        name=person.name,
        email=person.email,
        organization_role=person.organization_role,
        status=person.status,
        revision=1,
    )


def _account(program: Program, organization_id: str, at: datetime) -> ServiceAccount:
    return ServiceAccount(
        id=new_id(ServiceAccount.PREFIX, at),
        organization_id=organization_id,
        name=program.name,
        organization_role=OrganizationRole.MEMBER,
        status=program.status,
        revision=1,
    )


def _cluster(name: str, region: str, status: ClusterStatus, organization_id: str, at: datetime) -> Cluster:
    return Cluster(
        id=new_id(Cluster.PREFIX, at),
        organization_id=organization_id,
        name=name,
        region=region,
        status=status,
        revision=1,
    )


def _ids(rows: Mapping[str, Team] | Mapping[str, Cluster] | Mapping[str, SavedQuery]) -> dict[str, str]:
    return {name: row.id for name, row in rows.items()}
