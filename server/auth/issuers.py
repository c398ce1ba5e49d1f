"""The OpenID Connect issuers whose tokens are accepted: one by settings, or several by a YAML file."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.resolvers.commands.sign_in import Roles
from mainsheet.server.settings import DEFAULT_ALGORITHMS, DEFAULT_SCOPES, Algorithm, Settings
from mainsheet.server.yaml_document import parsed

ORGANIZATION_ROLES = tuple(OrganizationRole)  # the later one allows more
TEAM_ROLES = tuple(TeamRole)

Text = Annotated[str, StringConstraints(min_length=1)]
OrganizationId = Annotated[str, StringConstraints(pattern="^OR[0-9A-Z]+$")]
TeamId = Annotated[str, StringConstraints(pattern="^TM[0-9A-Z]+$")]
ServiceAccountId = Annotated[str, StringConstraints(pattern="^SA[0-9A-Z]+$")]
Domain = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9.-]+$", to_lower=True)]
Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GroupRoles(Part):
    """The roles of those who are in a group."""

    organization_role: OrganizationRole | None = None
    teams: Mapping[TeamId, TeamRole] = Field(default_factory=dict)


class NewMembers(Part):
    """Who becomes a member at the first request. All conditions that are given must hold."""

    domains: frozenset[Domain] = frozenset()
    claims: Mapping[str, frozenset[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_condition(self) -> "NewMembers":
        if not self.domains and not self.claims:
            raise ValueError("name domains or claims: without a condition, anyone could become a member")
        return self

    def allow(self, email: str, claims: Mapping[str, object]) -> bool:
        """Whether the subject has an address in one of the domains, and of each claim one of the values."""
        is_in_domain = not self.domains or email.rpartition("@")[2].lower() in self.domains
        return is_in_domain and all(self.claims[name] & texts(claims.get(name)) for name in self.claims)


class IssuerSettings(Part):
    """One issuer. Its tokens authenticate members and service accounts of one organization."""

    issuer: Text
    audience: Text
    organization: OrganizationId
    jwks_url: Text | None = None  # without it and a file, the issuer's discovery document names the address
    jwks_file: Path | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = DEFAULT_ALGORITHMS
    leeway_seconds: Annotated[int, Field(ge=0, le=600)] = 30
    scopes: frozenset[AccessScope] = frozenset(DEFAULT_SCOPES)
    member_claim: Text = "email"
    trust_emails: bool = False
    name_claim: Text = "name"
    create_members: NewMembers | None = None
    groups_claim: Text = "groups"
    groups: Mapping[str, GroupRoles] = Field(default_factory=dict)
    service_accounts: Mapping[Text, ServiceAccountId] = Field(default_factory=dict)  # by `sub`

    @model_validator(mode="after")
    def _has_one_source_of_keys(self) -> "IssuerSettings":
        if self.jwks_url is not None and self.jwks_file is not None:
            raise ValueError("give a URL or a file of the keys, not both")
        return self

    def roles(self, groups: Collection[str]) -> Roles:
        """Return the roles of someone in these groups: the greatest one of each kind."""
        mapped = self.groups.values()
        own = [roles for name, roles in self.groups.items() if name in groups]
        decides = any(each.organization_role for each in mapped)
        given = [each.organization_role for each in own if each.organization_role]
        teams = {team_id: [each.teams[team_id] for each in own if team_id in each.teams] for team_id in self.teams}
        return Roles(
            max(given, key=ORGANIZATION_ROLES.index, default=OrganizationRole.MEMBER) if decides else None,
            {team_id: max(roles, key=TEAM_ROLES.index, default=None) for team_id, roles in teams.items()},
        )

    @property
    def teams(self) -> Sequence[str]:
        """The teams whose roles the groups decide."""
        return sorted({team_id for each in self.groups.values() for team_id in each.teams})


class IssuersFile(Part):
    issuers: Annotated[tuple[IssuerSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> "IssuersFile":
        pairs = [(each.issuer, each.audience) for each in self.issuers]
        if len(pairs) > len(set(pairs)):
            raise ValueError("two issuers have the same issuer and audience")
        return self

    @model_validator(mode="after")
    def _agree_on_groups(self) -> "IssuersFile":
        groups = {each.organization: each.groups for each in self.issuers if each.groups}
        if any(each.groups and each.groups != groups[each.organization] for each in self.issuers):
            raise ValueError("two issuers of one organization give different roles by groups")
        return self


def configured(settings: Settings) -> Sequence[IssuerSettings]:
    """Return the configured issuers. Raises `ValueError` if the configuration is incomplete or contradictory."""
    if settings.oidc_file is not None and settings.oidc_issuer is not None:
        raise ValueError("Give MAINSHEET_OIDC_FILE or MAINSHEET_OIDC_ISSUER, not both")
    if settings.oidc_file is not None:
        return _read(settings.oidc_file)
    return [] if settings.oidc_issuer is None else [_alone(settings)]


def texts(value: object) -> frozenset[str]:
    """Return the texts in a claim, which may hold one or a list of them."""
    return frozenset(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def _alone(settings: Settings) -> IssuerSettings:
    if settings.oidc_audience is None:
        raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_AUDIENCE")
    if settings.oidc_organization is None:  # emails are unique only within an organization
        raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_ORGANIZATION")
    names = [name for name in IssuerSettings.model_fields if f"oidc_{name}" in Settings.model_fields]
    values = {name: getattr(settings, f"oidc_{name}") for name in names}
    return _checked(IssuerSettings, values, lambda path: f"MAINSHEET_OIDC{'_' if path else ''}{path.upper()}: ")


def _read(path: Path) -> Sequence[IssuerSettings]:
    where = f"MAINSHEET_OIDC_FILE: {path}"
    try:
        document = parsed(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{where} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{where} isn't YAML: {error}") from None
    return _checked(IssuersFile, document, lambda path: f"{where}: {path}{': ' if path else ''}").issuers


def _checked(model: type[Model], values: object, place: Callable[[str], str]) -> Model:
    """Return the model. Raises `ValueError` with the place of the first fault, which has a path, and its reason."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        path = ".".join(str(each) for each in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place(path)}{reason}") from None
