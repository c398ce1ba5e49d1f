"""Expected errors of the mutations that change actors, tokens, teams, clusters and saved queries."""

from dataclasses import dataclass, field

from mainsheet.models.errors import IN_MESSAGE_ONLY, Path, UserError
from mainsheet.models.roles import AccessScope


@dataclass(kw_only=True, eq=False)
class ScopeMissing(UserError):
    """Your token lacks a scope that the mutation needs, or expires before the token to create."""

    code = "SCOPE_MISSING"
    text = "{reason}"
    path: Path = ()
    missing_scope: AccessScope | None = None
    reason: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class MemberNotFound(UserError):
    """The member doesn't exist."""

    code = "MEMBER_NOT_FOUND"
    text = "There is no member {missing_id!a:.60}."
    path: Path = ("member_id",)
    missing_id: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class ActorNotFound(UserError):
    """The member or service account doesn't exist."""

    code = "ACTOR_NOT_FOUND"
    text = "There is no member or service account {missing_id!a:.60}."
    path: Path = ("actor_id",)
    missing_id: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class TokenNotFound(UserError):
    """The access token doesn't exist, or you can't see it."""

    code = "TOKEN_NOT_FOUND"
    text = "There is no access token {missing_id!a:.60} that you can see."
    path: Path = ("access_token_id",)
    missing_id: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class ActorDisabled(UserError):
    """The service account is disabled, so it can't get a token."""

    code = "ACTOR_DISABLED"
    text = "{name} is disabled. Enable it first."
    path: Path = ("actor_id",)
    name: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class LastAdministrator(UserError):
    """The organization would be left without an active member who is an administrator."""

    code = "LAST_ADMINISTRATOR"
    text = "{name} is the only active member with the organization role ADMIN. Give it to another member first."
    name: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class EmailTaken(UserError):
    """Another member of the organization already has this email address."""

    code = "EMAIL_TAKEN"
    text = "Another member of the organization has the email address {email}."
    path: Path = ("email",)
    email: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class NameTaken(UserError):
    """Another object of the same kind in the organization already has this name."""

    code = "NAME_TAKEN"
    text = "Another {noun} of the organization has the name {name!a:.60}. Choose another name."
    path: Path = ("name",)
    noun: str = field(metadata=IN_MESSAGE_ONLY)
    name: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class ExternalIdTaken(UserError):
    """Another object of the same kind in the organization already has this external id."""

    code = "EXTERNAL_ID_TAKEN"
    text = "Another {noun} of the organization has the external id {external_id!a:.60}."
    path: Path = ("external_id",)
    noun: str = field(metadata=IN_MESSAGE_ONLY)
    external_id: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class InUse(UserError):
    """Jobs use an object that was to be deleted."""

    text = "Jobs use the {noun}: {visible_count} that you can see and {hidden_count} that you can't. {advice}"
    noun: str = field(metadata=IN_MESSAGE_ONLY)
    advice: str = field(metadata=IN_MESSAGE_ONLY)
    user_ids: tuple[str, ...]
    visible_count: int = field(metadata=IN_MESSAGE_ONLY)
    hidden_count: int


@dataclass(kw_only=True, eq=False)
class TeamInUse(InUse):
    """The team has access to jobs, so it can't be deleted."""

    code = "TEAM_IN_USE"


@dataclass(kw_only=True, eq=False)
class ClusterInUse(InUse):
    """Versions of jobs run on the cluster, so it can't be deleted."""

    code = "CLUSTER_IN_USE"


@dataclass(kw_only=True, eq=False)
class SavedQueryInUse(InUse):
    """Versions of jobs run the saved query, so it can't be deleted."""

    code = "SAVED_QUERY_IN_USE"


@dataclass(kw_only=True, eq=False)
class QuotaExceeded(UserError):
    """The organization, or the member or service account, already has as many of these objects as are allowed."""

    code = "QUOTA_EXCEEDED"
    text = "{owner} already has {quota} {nouns}, which is the most that is allowed. {advice}"
    path: Path = ()
    quota: int
    owner: str = field(metadata=IN_MESSAGE_ONLY)
    nouns: str = field(metadata=IN_MESSAGE_ONLY)
    advice: str = field(metadata=IN_MESSAGE_ONLY)
