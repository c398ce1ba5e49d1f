"""The members and service accounts of the two demo organizations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mainsheet.models.actor import ActorStatus
from mainsheet.models.roles import OrganizationRole, TeamRole

DEMO_MEMBERS: Mapping[str, str] = {
    "admin@harbor.example": "organization ADMIN of harbor",
    "auditor@harbor.example": "organization AUDITOR of harbor",
    "team-admin@harbor.example": "ADMIN of the team data-eng",
    "contributor@harbor.example": "CONTRIBUTOR of data-eng, VIEWER of analytics",
    "viewer@harbor.example": "VIEWER of analytics only",
    "admin@lagoon.example": "organization ADMIN of lagoon",
}


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    organization_role: OrganizationRole = OrganizationRole.MEMBER
    teams: Mapping[str, TeamRole] = field(default_factory=dict)
    status: ActorStatus = ActorStatus.ACTIVE


@dataclass(frozen=True)
class Program:
    """A service account."""

    name: str
    teams: Mapping[str, TeamRole] = field(default_factory=dict)
    status: ActorStatus = ActorStatus.ACTIVE


HARBOR = (
    Person("admin@harbor.example", "Ada Lindqvist", OrganizationRole.ADMIN),
    Person("auditor@harbor.example", "Tomas Okafor", OrganizationRole.AUDITOR),
    Person("team-admin@harbor.example", "Mireille Duval", teams={"data-eng": TeamRole.ADMIN}),
    Person(
        "contributor@harbor.example",
        "Jonas Weber",
        teams={"data-eng": TeamRole.CONTRIBUTOR, "analytics": TeamRole.VIEWER},
    ),
    Person("viewer@harbor.example", "Priya Raman", teams={"analytics": TeamRole.VIEWER}),
    Person(
        "ines.carvalho@harbor.example",
        "Inês Carvalho",
        teams={"analytics": TeamRole.ADMIN, "data-eng": TeamRole.VIEWER},
    ),
    Person("sofia.rossi@harbor.example", "Sofia Rossi", teams={"analytics": TeamRole.CONTRIBUTOR}),
    Person(
        "kenji.mori@harbor.example",
        "Kenji Mori",
        teams={"platform": TeamRole.ADMIN, "data-eng": TeamRole.CONTRIBUTOR},
    ),
    Person("lena.novak@harbor.example", "Lena Nováková", teams={"platform": TeamRole.CONTRIBUTOR}),
    Person(
        "omar.haddad@harbor.example",
        "Omar Haddad",
        teams=dict.fromkeys(("data-eng", "analytics", "platform"), TeamRole.CONTRIBUTOR),
    ),
    Person(
        "grace.mbeki@harbor.example",
        "Grace Mbeki",
        teams={"analytics": TeamRole.CONTRIBUTOR, "data-eng": TeamRole.CONTRIBUTOR},
    ),
    Person("liam.oconnor@harbor.example", "Liam O'Connor", teams={"platform": TeamRole.VIEWER}),
    Person("nadia.petrova@harbor.example", "Nadia Petrova", status=ActorStatus.DISABLED),
    Person(
        "hugo.brandt@harbor.example",
        "Hugo Brandt",
        teams={"platform": TeamRole.VIEWER},
        status=ActorStatus.DISABLED,
    ),
)
HARBOR_PROGRAMS = (
    Program("execution-plane", dict.fromkeys(("data-eng", "analytics", "platform"), TeamRole.CONTRIBUTOR)),
    Program("sales-dashboard", {"analytics": TeamRole.VIEWER}),
    Program("old-scheduler", {"data-eng": TeamRole.CONTRIBUTOR}, ActorStatus.DISABLED),
)

LAGOON = (
    Person("admin@lagoon.example", "Noa Berger", OrganizationRole.ADMIN),
    Person(
        "felix.grant@lagoon.example",
        "Felix Grant",
        teams={"science": TeamRole.ADMIN, "operations": TeamRole.CONTRIBUTOR},
    ),
    Person("ruth.adeyemi@lagoon.example", "Ruth Adeyemi", teams={"operations": TeamRole.VIEWER}),
    Person("mateo.silva@lagoon.example", "Mateo Silva", teams={"science": TeamRole.CONTRIBUTOR}),
)
LAGOON_PROGRAMS = (Program("execution-plane", dict.fromkeys(("science", "operations"), TeamRole.CONTRIBUTOR)),)
