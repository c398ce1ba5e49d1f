"""The permissions of each role, as tables: roles with fewer rights come first. All checks of rights are by them."""

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


class TeamPermission(StrEnum):
    SHARE_JOBS = "SHARE_JOBS"
    CREATE_JOBS = "CREATE_JOBS"
    EDIT_SAVED_QUERIES = "EDIT_SAVED_QUERIES"
    EDIT = "EDIT"
    MANAGE_MEMBERS = "MANAGE_MEMBERS"
    DELETE = "DELETE"


class OrganizationPermission(StrEnum):
    VIEW_ALL_JOBS = "VIEW_ALL_JOBS"
    MANAGE_ALL_JOBS = "MANAGE_ALL_JOBS"
    EDIT_ORGANIZATION = "EDIT_ORGANIZATION"
    MANAGE_MEMBERS = "MANAGE_MEMBERS"
    MANAGE_SERVICE_ACCOUNTS = "MANAGE_SERVICE_ACCOUNTS"
    MANAGE_TOKENS = "MANAGE_TOKENS"
    MANAGE_TEAMS = "MANAGE_TEAMS"
    MANAGE_CLUSTERS = "MANAGE_CLUSTERS"
    MANAGE_WEBHOOKS = "MANAGE_WEBHOOKS"


ALL = frozenset(JobPermission)

BY_TEAM: Mapping[TeamRole, frozenset[JobPermission]] = {
    TeamRole.VIEWER: frozenset({JobPermission.VIEW}),
    TeamRole.CONTRIBUTOR: frozenset({JobPermission.VIEW, JobPermission.EDIT, JobPermission.RUN}),
    TeamRole.ADMIN: ALL,
}

AS_MEMBER = frozenset({TeamPermission.SHARE_JOBS})
AS_CONTRIBUTOR = AS_MEMBER | {TeamPermission.CREATE_JOBS, TeamPermission.EDIT_SAVED_QUERIES}
IN_TEAM: Mapping[TeamRole, frozenset[TeamPermission]] = {
    TeamRole.VIEWER: AS_MEMBER,
    TeamRole.CONTRIBUTOR: AS_CONTRIBUTOR,
    TeamRole.ADMIN: AS_CONTRIBUTOR | {TeamPermission.EDIT, TeamPermission.MANAGE_MEMBERS},
}

IN_ORGANIZATION: Mapping[OrganizationRole, frozenset[OrganizationPermission]] = {
    OrganizationRole.MEMBER: frozenset(),
    OrganizationRole.AUDITOR: frozenset({OrganizationPermission.VIEW_ALL_JOBS}),
    OrganizationRole.ADMIN: frozenset(OrganizationPermission),
}

OF_ALL_JOBS: Mapping[OrganizationPermission, frozenset[JobPermission]] = {
    OrganizationPermission.VIEW_ALL_JOBS: frozenset({JobPermission.VIEW}),
    OrganizationPermission.MANAGE_ALL_JOBS: ALL,
}
BY_ORGANIZATION: Mapping[OrganizationRole, frozenset[JobPermission]] = {
    role: frozenset().union(*(of_jobs for each, of_jobs in OF_ALL_JOBS.items() if each in permissions))
    for role, permissions in IN_ORGANIZATION.items()
}
