"""The schema."""

from datetime import datetime

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter

from mainsheet.executor import core_schema
from mainsheet.schema.access_token import AccessToken
from mainsheet.schema.cluster import Cluster
from mainsheet.schema.event import Event
from mainsheet.schema.job import Job
from mainsheet.schema.job_config import JOB_CONFIG, JobConfig
from mainsheet.schema.job_document import JOB_DOCUMENT, JobDocument
from mainsheet.schema.job_run import JobRun
from mainsheet.schema.job_version import JobVersion
from mainsheet.schema.member import Member
from mainsheet.schema.moment import DATE_TIME
from mainsheet.schema.mutation import Mutation
from mainsheet.schema.organization import Organization
from mainsheet.schema.query import Query
from mainsheet.schema.saved_query import SavedQuery
from mainsheet.schema.service_account import ServiceAccount
from mainsheet.schema.subscription import Subscription
from mainsheet.schema.team import Team
from mainsheet.schema.user_error import TYPES
from mainsheet.schema.webhook import Webhook, WebhookDelivery

ENTITIES = [
    AccessToken,
    Cluster,
    Event,
    Job,
    JobRun,
    JobVersion,
    Member,
    Organization,
    SavedQuery,
    ServiceAccount,
    Team,
    Webhook,
    WebhookDelivery,
]

api = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[*ENTITIES, *TYPES],
    config=StrawberryConfig(
        sort_schema=True, scalar_map={datetime: DATE_TIME, JobConfig: JOB_CONFIG, JobDocument: JOB_DOCUMENT}
    ),
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
