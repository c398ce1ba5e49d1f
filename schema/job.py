from datetime import datetime

import strawberry

from mainsheet.models import limits
from mainsheet.models.job import Job as JobRow
from mainsheet.models.job import JobStatus
from mainsheet.models.roles import JobPermission
from mainsheet.resolvers import (
    actor,
    event,
    job_dependency,
    job_document,
    job_run,
    job_tag,
    job_version,
    permissions,
    team,
)
from mainsheet.schema import names
from mainsheet.schema.connection import Connection, page_arguments
from mainsheet.schema.event import job_event_arguments
from mainsheet.schema.job_document import JobDocument
from mainsheet.schema.job_run import run_list_arguments
from mainsheet.schema.job_version import INPUT, number
from mainsheet.schema.node import Node
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight

TAGS = weight(items=limits.TAGS.maximum)


@strawberry.type(description="A named workload whose configuration has versions.")
class Job(Node, prefix=JobRow.PREFIX):
    job_key: str = strawberry.field(description="The key of the job, unique within the organization. It never changes.")
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(
        description="A description for people. Null if not set.", metadata=weight(characters=limits.DESCRIPTION.maximum)
    )
    tags = relation(job_tag.of_jobs, list[str], "The tags, in alphabetical order.", weight=TAGS)
    status: JobStatus = strawberry.field(description="Whether the schedule of the job is active or paused.")
    revision: int = strawberry.field(
        description=(
            "The revision of the job, which grows by one with each change. Send it as `expectedJobRevision` to "
            "detect concurrent changes. Updates of a draft don't count: the draft has its own revision."
        )
    )
    created_at: datetime = strawberry.field(description="When the job was created.")
    created_by = relation(actor.by_ids, names.Actor, "Who created the job.", key="created_by_id")
    updated_at: datetime = strawberry.field(
        description="When the job was last changed. Updates of its draft don't count."
    )
    updated_by = relation(actor.by_ids, names.Actor, "Who made the last change of the job.", key="updated_by_id")
    current_version = relation(
        job_version.current, names.JobVersion, "The current version: the one that runs.", join="current_version"
    )
    activated_at: datetime = strawberry.field(description="When the current version became current.")
    draft = relation(
        job_version.drafts, names.JobVersion | None, "The draft of the next version. Null if the job has no draft."
    )
    version = relation(
        job_version.numbered,
        names.JobVersion | None,
        "The version with this number, including a draft. Null if it doesn't exist.",
        arguments=number,
    )
    versions = relation(
        job_version.of_jobs,
        names.JobVersionConnection,
        "The published versions, ordered by number.",
        arguments=page_arguments,
    )
    teams = relation(
        team.of_jobs,
        names.JobTeamConnection,
        "The teams with access to the job, ordered by name.",
        arguments=page_arguments,
    )
    dependents = relation(
        job_dependency.dependents,
        names.JobConnection,
        "The jobs whose current version or draft depends on this job, ordered by key. Only jobs that you can see.",
        arguments=page_arguments,
    )
    latest_run = relation(
        job_run.latest,
        names.JobRun | None,
        "The run that was created last. Null if the job has no runs.",
        join="latest_run",
    )
    runs = relation(
        job_run.of_jobs, names.JobRunConnection, "The runs of the job, newest first.", arguments=run_list_arguments
    )
    events = relation(
        event.of_jobs,
        names.EventConnection,
        "The history of the job and its runs, newest first. To follow it, read `Query.events` with `jobIds`.",
        arguments=job_event_arguments,
    )
    document = relation(
        job_document.of_jobs,
        JobDocument,
        (
            "The job with its current configuration as a document, which `applyJobs` of any server takes. It"
            " has names and keys in place of ids. Dependencies on jobs that you can't see or that were"
            " deleted are left out."
        ),
        weight=INPUT,
    )
    viewer_permissions = relation(
        permissions.of_jobs,
        list[JobPermission],
        "What your roles allow you to do with the job. The scopes of your token may allow less.",
    )


@strawberry.type(description="A page of a list of jobs.")
class JobConnection(Connection[Job]):
    facets: names.JobFacets = strawberry.field(
        description="The number of jobs by status, team, cluster, tag and status of the latest run."
    )
