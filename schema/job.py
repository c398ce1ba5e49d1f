from datetime import datetime

import strawberry

from mainsheet.models import limits
from mainsheet.models.job import Job as JobRow
from mainsheet.models.job import JobStatus
from mainsheet.models.roles import JobPermission
from mainsheet.resolvers import job_event, job_run, job_version, member, permissions, team
from mainsheet.schema import names
from mainsheet.schema.job_run import run_list
from mainsheet.schema.job_version import number, version_list
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection, page_only
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight


@strawberry.type(description="A named, versioned workload.")
class Job(Node, prefix=JobRow.PREFIX):
    job_key: str = strawberry.field(description="Its key, unique in the organization; it never changes.")
    name: str = strawberry.field(description="Its name.")
    description: str | None = strawberry.field(
        description="What it does. Null if nobody said.", metadata=weight(characters=limits.DESCRIPTION.maximum)
    )
    status: JobStatus = strawberry.field(description="Whether its schedule is on.")
    revision: int = strawberry.field(
        description="Grows by one with each change of the job; for `expectedRevision`. Editing the draft doesn't count:"
        " the draft has a revision of its own."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    created_by = relation(member.by_ids, names.Member, "Who created it.", key="created_by_id")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    updated_by = relation(member.by_ids, names.Member, "Who last changed it.", key="updated_by_id")
    current_version = relation(job_version.current, names.JobVersion, "What runs.", join="current_version")
    draft = relation(job_version.drafts, names.JobVersion | None, "The version in the making. Null if there is none.")
    version = relation(
        job_version.numbered,
        names.JobVersion | None,
        "The version of that number, the draft included. Null if there is none.",
        arguments=number,
    )
    versions = relation(
        job_version.of_jobs, names.JobVersionConnection, "The published versions, by number.", arguments=version_list
    )
    teams = relation(team.of_jobs, names.JobTeamConnection, "The teams with access, by name.", arguments=page_only)
    latest_run = relation(
        job_run.latest, names.JobRun | None, "The newest run. Null before the first.", join="latest_run"
    )
    runs = relation(job_run.of_jobs, names.JobRunConnection, "Its runs, newest first.", arguments=run_list)
    history = relation(
        job_event.of_jobs, names.JobEventConnection, "What happened to it, newest first.", arguments=page_only
    )
    viewer_permissions = relation(permissions.of_jobs, list[JobPermission], "What you may do with it.")


@strawberry.type(description="One page of a list of jobs.")
class JobConnection(Connection[Job]): ...
