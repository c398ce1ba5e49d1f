from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mainsheet.demo import analytics, data_eng, ingest, inventory, lagoon, people, platform
from mainsheet.demo.life import Story
from mainsheet.demo.people import Person, Program
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.roles import OrganizationRole, TeamRole

EDITORS = {TeamRole.CONTRIBUTOR, TeamRole.ADMIN}


@dataclass(frozen=True)
class Tenant:
    """The definition of a demo organization."""

    name: str
    people: Sequence[Person]
    programs: Sequence[Program]
    teams: Mapping[str, str | None]
    clusters: Mapping[str, tuple[str, ClusterStatus]]
    queries: Mapping[str, str]
    stories: Sequence[Story]

    @property
    def admin(self) -> Person:
        return next(each for each in self.people if each.organization_role is OrganizationRole.ADMIN)

    def editors(self, teams: Sequence[str]) -> list[Person]:
        """Return the members who may create a job for all of these teams, or the administrator if there are none."""
        return [each for each in self.people if all(each.teams.get(team) in EDITORS for team in teams)] or [self.admin]


HARBOR = Tenant(
    "harbor",
    people.HARBOR,
    people.HARBOR_PROGRAMS,
    inventory.HARBOR_TEAMS,
    inventory.HARBOR_CLUSTERS,
    inventory.HARBOR_QUERIES,
    (*ingest.STORIES, *data_eng.STORIES, *analytics.STORIES, *platform.STORIES),
)
LAGOON = Tenant(
    "lagoon",
    people.LAGOON,
    people.LAGOON_PROGRAMS,
    inventory.LAGOON_TEAMS,
    inventory.LAGOON_CLUSTERS,
    inventory.LAGOON_QUERIES,
    lagoon.STORIES,
)
