"""Lazy references to types, because fields of different modules refer to each other."""

from typing import Annotated, Any

import strawberry


def _lazy(name: str, module: str) -> Any:
    return Annotated[name, strawberry.lazy(f"mainsheet.schema.{module}")]


AccessToken = _lazy("AccessToken", "access_token")
AccessTokenConnection = _lazy("AccessTokenConnection", "access_token")
Actor = _lazy("Actor", "actor")
Cluster = _lazy("Cluster", "cluster")
ClusterConnection = _lazy("ClusterConnection", "cluster")
Event = _lazy("Event", "event")
EventConnection = _lazy("EventConnection", "event")
Job = _lazy("Job", "job")
JobConnection = _lazy("JobConnection", "job")
JobFacets = _lazy("JobFacets", "job_facets")
JobRun = _lazy("JobRun", "job_run")
JobRunConnection = _lazy("JobRunConnection", "job_run")
JobVersion = _lazy("JobVersion", "job_version")
JobVersionConnection = _lazy("JobVersionConnection", "job_version")
Member = _lazy("Member", "member")
MemberConnection = _lazy("MemberConnection", "member")
MemberTeamConnection = _lazy("MemberTeamConnection", "team")
Organization = _lazy("Organization", "organization")
SavedQuery = _lazy("SavedQuery", "saved_query")
SavedQueryConnection = _lazy("SavedQueryConnection", "saved_query")
ServiceAccount = _lazy("ServiceAccount", "service_account")
ServiceAccountConnection = _lazy("ServiceAccountConnection", "service_account")
Team = _lazy("Team", "team")
TeamConnection = _lazy("TeamConnection", "team")
TeamMemberConnection = _lazy("TeamMemberConnection", "member")
TeamServiceAccountConnection = _lazy("TeamServiceAccountConnection", "service_account")
JobTeamConnection = _lazy("JobTeamConnection", "team")
Webhook = _lazy("Webhook", "webhook")
WebhookConnection = _lazy("WebhookConnection", "webhook")
WebhookDelivery = _lazy("WebhookDelivery", "webhook")
WebhookDeliveryConnection = _lazy("WebhookDeliveryConnection", "webhook")
