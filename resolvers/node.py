"""Objects of all types by id. The prefix of the id determines the batch."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mainsheet.models.access_token import AccessToken
from mainsheet.models.cluster import Cluster
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery
from mainsheet.resolvers import (
    access_token,
    cluster,
    event,
    job,
    job_run,
    job_version,
    organization,
    saved_query,
    team,
    webhook,
    webhook_delivery,
)
from mainsheet.resolvers.actor import MEMBERS, SERVICE_ACCOUNTS
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.rights import Extent
from mainsheet.resolvers.sql.snapshot import Read

ByIds = Callable[[Read, Sequence[str]], Awaitable[Mapping[str, Any]]]


async def _callers(read: Read, ids: Sequence[str]) -> Mapping[str, Caller]:
    if read.rights is not None:
        read.rights.note(Extent.IDENTITY, None)
    return {each: read.caller for each in ids if each == read.caller.id}


BY_PREFIX: Mapping[str, ByIds] = {
    AccessToken.PREFIX: access_token.by_ids,
    Caller.PREFIX: _callers,
    Cluster.PREFIX: cluster.by_ids,
    Job.PREFIX: job.by_ids,
    Event.PREFIX: event.by_ids,
    JobRun.PREFIX: job_run.by_ids,
    JobVersion.PREFIX: job_version.by_ids,
    Member.PREFIX: MEMBERS.by_ids,
    Organization.PREFIX: organization.by_ids,
    SavedQuery.PREFIX: saved_query.by_ids,
    ServiceAccount.PREFIX: SERVICE_ACCOUNTS.by_ids,
    Team.PREFIX: team.by_ids,
    Webhook.PREFIX: webhook.by_ids,
    WebhookDelivery.PREFIX: webhook_delivery.by_ids,
}


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for prefix, batch in BY_PREFIX.items():
        if own := [each for each in ids if each.startswith(prefix)]:
            found |= await batch(read, own)
    return found


async def of_lists(read: Read, lists: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Any]]:
    """Return the objects of each list of ids in order, with None for ids without an object."""
    found = await by_ids(read, list({each for ids in lists for each in ids}))
    return {ids: [found.get(each) for each in ids] for ids in lists}
