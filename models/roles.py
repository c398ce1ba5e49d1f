"""The permissions of each role, as two tables. Only `mainsheet.resolvers.permissions` reads them."""

from collections.abc import Mapping
from enum import StrEnum


class OrganizationRole(StrEnum):
    MEMBER = "MEMBER"
    AUDITOR = "AUDITOR"
    ADMIN = "ADMIN"


class AccessScope(StrEnum):
    """What a token may be used for. A token does what its actor and its scopes both allow."""

    READ = "READ"
    WRITE = "WRITE"
    RUNS = "RUNS"
    ADMIN = "ADMIN"


class TeamRole(StrEnum):
    VIEWER = "VIEWER"
    CONTRIBUTOR = "CONTRIBUTOR"
    ADMIN = "ADMIN"


class JobPermission(StrEnum):
    VIEW = "VIEW"
    EDIT = "EDIT"
    RUN = "RUN"
    MANAGE_TEAMS = "MANAGE_TEAMS"
    DELETE = "DELETE"


ALL = frozenset(JobPermission)

BY_TEAM: Mapping[TeamRole, frozenset[JobPermission]] = {
    TeamRole.VIEWER: frozenset({JobPermission.VIEW}),
    TeamRole.CONTRIBUTOR: frozenset({JobPermission.VIEW, JobPermission.EDIT, JobPermission.RUN}),
    TeamRole.ADMIN: ALL,
}

BY_ORGANIZATION: Mapping[OrganizationRole, frozenset[JobPermission]] = {
    OrganizationRole.MEMBER: frozenset(),
    OrganizationRole.AUDITOR: frozenset({JobPermission.VIEW}),
    OrganizationRole.ADMIN: ALL,
}
