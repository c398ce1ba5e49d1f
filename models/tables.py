"""Every model, so that `Base.metadata` is whole; whoever needs all tables imports this module."""

from models.api_token import ApiToken
from models.base import Base
from models.cluster import Cluster
from models.idempotency import IdempotencyRecord
from models.job import Job
from models.job_event import JobEvent
from models.job_run import JobRun
from models.job_team import JobTeam
from models.job_version import JobVersion, JobVersionDependency, JobVersionQuery
from models.member import Member
from models.organization import Organization
from models.saved_query import SavedQuery
from models.team import Team, TeamMember

__all__ = [
    "ApiToken",
    "Base",
    "Cluster",
    "IdempotencyRecord",
    "Job",
    "JobEvent",
    "JobRun",
    "JobTeam",
    "JobVersion",
    "JobVersionDependency",
    "JobVersionQuery",
    "Member",
    "Organization",
    "SavedQuery",
    "Team",
    "TeamMember",
]
