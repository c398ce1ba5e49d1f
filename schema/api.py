"""The whole schema."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.cluster import Cluster
from schema.job import Job
from schema.job_event import JobEvent
from schema.job_run import JobRun
from schema.job_version import JobVersion
from schema.member import Member
from schema.mutation import Mutation
from schema.organization import Organization
from schema.query import Query
from schema.saved_query import SavedQuery
from schema.team import Team
from schema.user_error import TYPES

ENTITIES = [Cluster, Job, JobEvent, JobRun, JobVersion, Member, Organization, SavedQuery, Team]

api = strawberry.Schema(
    query=Query, mutation=Mutation, types=[*ENTITIES, *TYPES], config=StrawberryConfig(sort_schema=True)
)
