"""Imports every model, so that `Base.metadata` is complete. Import this module to use all tables."""

from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.deleted_job import DeletedJob, DeletedJobTeam
from mainsheet.models.event import Event
from mainsheet.models.executed_query import ExecutedQuery, SavedQueryRevision
from mainsheet.models.feed import Feed
from mainsheet.models.idempotency import IdempotencyRecord
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_tag import JobTag
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionQuery
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.run_lease import RunLease
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.schema_compatibility import SchemaCompatibility
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team, TeamMember
from mainsheet.models.trusted_document import TrustedDocument, TrustedDocumentClient
from mainsheet.models.wal_timeline import WalTimeline
from mainsheet.models.webhook import Webhook, WebhookSecret
from mainsheet.models.webhook_delivery import WebhookDelivery
from mainsheet.models.webhook_lease import WebhookLease

__all__ = [
    "AccessToken",
    "Actor",
    "Base",
    "Cluster",
    "DeletedJob",
    "DeletedJobTeam",
    "Event",
    "ExecutedQuery",
    "Feed",
    "IdempotencyRecord",
    "Job",
    "JobRun",
    "JobTag",
    "JobTeam",
    "JobVersion",
    "JobVersionDependency",
    "JobVersionQuery",
    "Member",
    "Organization",
    "RunLease",
    "SavedQuery",
    "SavedQueryRevision",
    "SchemaCompatibility",
    "ServiceAccount",
    "Team",
    "TeamMember",
    "TrustedDocument",
    "TrustedDocumentClient",
    "WalTimeline",
    "Webhook",
    "WebhookDelivery",
    "WebhookLease",
    "WebhookSecret",
]
