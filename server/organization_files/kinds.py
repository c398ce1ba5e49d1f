"""The kinds of objects that an organization document has, in the order in which they are created."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind. `section` is its list in the document and in the API, and `key` the field that names an object."""

    section: str
    noun: str
    key: str
    words: str
    plural: str
    selection: str

    @property
    def entity(self) -> str:
        return self.noun[0].lower() + self.noun[1:]

    @property
    def id_field(self) -> str:
        return f"{self.entity}Id"

    @property
    def is_actor(self) -> bool:
        return self.section in {"members", "serviceAccounts"}


TEAMS_OF_ACTOR = "teams(first: 100) { pageInfo { hasNextPage endCursor } edges { role node { name } } }"
MANAGED = "externalId managedBy"
KINDS = (
    Kind("teams", "Team", "name", "team", "teams", f"name description {MANAGED}"),
    Kind("clusters", "Cluster", "name", "cluster", "clusters", f"name region status {MANAGED}"),
    Kind(
        "members",
        "Member",
        "email",
        "member",
        "members",
        f"email name organizationRole status {TEAMS_OF_ACTOR} {MANAGED}",
    ),
    Kind(
        "serviceAccounts",
        "ServiceAccount",
        "name",
        "service account",
        "service accounts",
        f"name organizationRole status {TEAMS_OF_ACTOR} {MANAGED}",
    ),
    Kind("savedQueries", "SavedQuery", "name", "saved query", "saved queries", "name sql team { name }"),
)
BY_SECTION = {each.section: each for each in KINDS}
