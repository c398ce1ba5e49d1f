"""The inputs of the mutations that change actors, tokens, teams, clusters and saved queries."""

from typing import Any

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.schema import inputs
from mainsheet.schema.config_input import LINE, NAME
from mainsheet.schema.inputs import message

KEEP = "Null isn't allowed. Omit to keep the value."
CLEAR = "Null removes it. Omit to keep the value."
EMAIL = (
    "The email address, 3 to 255 ASCII characters, unique within the organization, and not of the domain"
    " erased.invalid. It is stored in lower case."
)
SQL = "The SQL text, 1 to 8191 characters, not blank."
EXTERNAL_ID = (
    "The key of the object in the system that manages it, 1 to 255 characters, unique among the"
    " organization's objects of the same kind. Members and service accounts count as one kind."
)
MANAGED_BY = "The name of the system that manages the object, 1 to 255 characters."


def _unique_name(nouns: str) -> str:
    return f"The name, unique among the organization's {nouns}. {LINE}"


def id_of(what: str) -> Any:
    return strawberry.field(description=f"The {what}.")


def omittable(description: str) -> Any:
    return strawberry.field(default=UNSET, description=description)


def kept(description: str) -> Any:
    return strawberry.field(description=f"{description} {KEEP}")


def clearable(description: str) -> Any:
    return strawberry.field(description=f"{description} {CLEAR}")


def expected() -> Any:
    return omittable(
        "The expected revision. If it differs, the mutation is refused. Omit to skip the check: the last write wins."
    )


@strawberry.input(description="A team and a role in it.")
class TeamRoleInput:
    team_id: strawberry.ID = id_of("team")
    role: TeamRole = strawberry.field(description="The role in the team.")


@strawberry.input(description="A new team.")
class CreateTeamInput:
    name: str = strawberry.field(description=_unique_name("teams"))
    description: str | None = omittable(inputs.PROSE)
    external_id: str | None = omittable(EXTERNAL_ID)
    managed_by: str | None = omittable(MANAGED_BY)
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Changes to a team.")
class UpdateTeamInput:
    team_id: strawberry.ID = id_of("team")
    name: Maybe[str | None] = kept(_unique_name("teams"))
    description: Maybe[str | None] = clearable(inputs.PROSE)
    external_id: Maybe[str | None] = clearable(EXTERNAL_ID)
    managed_by: Maybe[str | None] = clearable(MANAGED_BY)
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The team to delete.")
class DeleteTeamInput:
    team_id: strawberry.ID = id_of("team")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The role of a member or service account in a team.")
class SetTeamRoleInput:
    team_id: strawberry.ID = id_of("team")
    actor_id: strawberry.ID = id_of("member or service account")
    role: TeamRole = strawberry.field(description="The role in the team.")
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The member or service account that leaves a team.")
class RemoveFromTeamInput:
    team_id: strawberry.ID = id_of("team")
    actor_id: strawberry.ID = id_of("member or service account")
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="A new member.")
class CreateMemberInput:
    email: str = strawberry.field(description=EMAIL)
    name: str = strawberry.field(description=NAME)
    organization_role: OrganizationRole = strawberry.field(
        default=OrganizationRole.MEMBER, description="The role in the organization."
    )
    teams: list[TeamRoleInput] = strawberry.field(
        default_factory=list, description="The teams to join. If a team is named twice, the last role counts."
    )
    external_id: str | None = omittable(EXTERNAL_ID)
    managed_by: str | None = omittable(MANAGED_BY)
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Changes to a member.")
class UpdateMemberInput:
    member_id: strawberry.ID = id_of("member")
    email: Maybe[str | None] = kept(EMAIL)
    name: Maybe[str | None] = kept(NAME)
    organization_role: Maybe[OrganizationRole | None] = kept("The role in the organization.")
    external_id: Maybe[str | None] = clearable(EXTERNAL_ID)
    managed_by: Maybe[str | None] = clearable(MANAGED_BY)
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The member to disable.")
class DisableMemberInput:
    member_id: strawberry.ID = id_of("member")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The member to enable.")
class EnableMemberInput:
    member_id: strawberry.ID = id_of("member")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The member to erase.")
class EraseMemberInput:
    member_id: strawberry.ID = id_of("member")
    expected_revision: int | None = expected()
    message: str | None = message(addition=" It isn't erased, so it should not name the person.")
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="A new service account.")
class CreateServiceAccountInput:
    name: str = strawberry.field(description=_unique_name("service accounts"))
    organization_role: OrganizationRole = strawberry.field(
        default=OrganizationRole.MEMBER, description="The role in the organization."
    )
    external_id: str | None = omittable(EXTERNAL_ID)
    managed_by: str | None = omittable(MANAGED_BY)
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Changes to a service account.")
class UpdateServiceAccountInput:
    service_account_id: strawberry.ID = id_of("service account")
    name: Maybe[str | None] = kept(_unique_name("service accounts"))
    organization_role: Maybe[OrganizationRole | None] = kept("The role in the organization.")
    external_id: Maybe[str | None] = clearable(EXTERNAL_ID)
    managed_by: Maybe[str | None] = clearable(MANAGED_BY)
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The service account to disable.")
class DisableServiceAccountInput:
    service_account_id: strawberry.ID = id_of("service account")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The service account to enable.")
class EnableServiceAccountInput:
    service_account_id: strawberry.ID = id_of("service account")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="A new access token.")
class CreateAccessTokenInput:
    name: str = strawberry.field(description=f"What the token is for. {LINE}")
    actor_id: strawberry.ID | None = omittable(
        "The service account that gets the token. Only administrators may name one. Omit for a token of your own."
    )
    scopes: list[AccessScope] = strawberry.field(
        default_factory=lambda: [AccessScope.READ, AccessScope.WRITE],
        description="What the token may be used for: 1 to 4 scopes, which your own token must have.",
    )
    expires_in_seconds: Maybe[int | None] = strawberry.field(
        description=(
            "The lifetime in seconds, from 60 to 316224000 (ten years). It must not end after your own token does."
            " Omit for 90 days, or your own token's end if that is earlier. Null for a token that doesn't expire; only"
            " administrators may send null."
        )
    )
    message: str | None = message()
    idempotency_key: str | None = inputs.idempotency_key(
        " The result of a repeated request has no secret: if you lost it, revoke the token and create another one."
    )


@strawberry.input(description="The access token to revoke.")
class RevokeAccessTokenInput:
    access_token_id: strawberry.ID = id_of("access token")
    message: str | None = message()


@strawberry.input(description="A new cluster.")
class CreateClusterInput:
    name: str = strawberry.field(description=_unique_name("clusters"))
    region: str | None = omittable(f"The cloud region, such as `eu-central-1`. {LINE}")
    status: ClusterStatus = strawberry.field(default=ClusterStatus.ACTIVE, description="The status.")
    external_id: str | None = omittable(EXTERNAL_ID)
    managed_by: str | None = omittable(MANAGED_BY)
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Changes to a cluster.")
class UpdateClusterInput:
    cluster_id: strawberry.ID = id_of("cluster")
    name: Maybe[str | None] = kept(_unique_name("clusters"))
    region: Maybe[str | None] = clearable(f"The cloud region, such as `eu-central-1`. {LINE}")
    status: Maybe[ClusterStatus | None] = kept("The status.")
    external_id: Maybe[str | None] = clearable(EXTERNAL_ID)
    managed_by: Maybe[str | None] = clearable(MANAGED_BY)
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The cluster to delete.")
class DeleteClusterInput:
    cluster_id: strawberry.ID = id_of("cluster")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="A new saved query.")
class CreateSavedQueryInput:
    team_id: strawberry.ID = strawberry.field(
        description=(
            "The team that may change the saved query. You need the role CONTRIBUTOR or ADMIN in it, or"
            " the organization role ADMIN."
        )
    )
    name: str = strawberry.field(description=_unique_name("saved queries"))
    sql: str = strawberry.field(description=SQL)
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Changes to a saved query.")
class UpdateSavedQueryInput:
    saved_query_id: strawberry.ID = id_of("saved query")
    team_id: Maybe[strawberry.ID | None] = kept(
        "The team that may change the saved query. You need the role CONTRIBUTOR or ADMIN in it, or"
        " the organization role ADMIN."
    )
    name: Maybe[str | None] = kept(_unique_name("saved queries"))
    sql: Maybe[str | None] = kept(SQL)
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The saved query to delete.")
class DeleteSavedQueryInput:
    saved_query_id: strawberry.ID = id_of("saved query")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()
