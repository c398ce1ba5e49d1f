"""The whole schema."""

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter

from executor import core_schema
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


def _mark_one_of_inputs(api: strawberry.Schema) -> None:
    """Tell graphql-core which input types are `@oneOf`.

    Strawberry checks them in a rule of its own `execute` and while it coerces, but doesn't set graphql-core's mark.
    Without the mark, neither validation nor the coercion of variables checks them, so a literal that breaks the rule
    fails only after earlier mutations of the same operation are done.
    """
    for type_ in core_schema(api).type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            declared = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            type_.is_one_of = bool(declared and declared.is_one_of)


_mark_one_of_inputs(api)
