from collections.abc import Mapping
from typing import Any

import strawberry

from mainsheet.resolvers.commands import apply, draft, job, organization, version
from mainsheet.resolvers.commands.apply import ApplyOutcome
from mainsheet.schema import inputs, payloads
from mainsheet.schema.document import ApplyJobsInput, ApplyPayload, ApplyResult
from mainsheet.schema.mutation_field import batch, mutation
from mainsheet.schema.provisioning import ProvisioningMutation


def _updated(item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    return payloads.UpdateJobsResult(**{"job_id": item["job_id"], **answer}, user_errors=problems)


def _applied(item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    known = {"job_key": item["job_key"], "outcome": ApplyOutcome.REFUSED, **answer}
    known["outcome"] = ApplyOutcome(known["outcome"])
    return ApplyResult(**known | {"event_ids": tuple(known.get("event_ids", ()))}, user_errors=problems)


@strawberry.type(description=("The mutations. Each mutation is one transaction: it makes all of its changes or none."))
class Mutation(ProvisioningMutation):
    create_job = mutation(
        job.create, inputs.CreateJobInput, payloads.JobPayload, "Create a job and its first published version."
    )
    update_job = mutation(
        job.update, inputs.UpdateJobInput, payloads.JobPayload, "Change the name, description, tags or status of a job."
    )
    update_jobs = batch(
        job.update_many,
        inputs.UpdateJobsInput,
        payloads.UpdatedJobsPayload,
        _updated,
        "Change the names, descriptions, tags or statuses of many jobs. Each item is a transaction of its own.",
    )
    apply_jobs = batch(
        apply.apply,
        ApplyJobsInput,
        ApplyPayload,
        _applied,
        "Create or change jobs so that they are what documents say. Applying the same documents again changes nothing.",
    )
    delete_job = mutation(
        job.delete,
        inputs.DeleteJobInput,
        payloads.DeletedJobPayload,
        (
            "Delete a job with its versions and runs, after cancelling its unfinished runs. This can't be undone."
            " Refused while current versions or drafts of other jobs depend on it, unless `force` is true. Versions of"
            " other jobs keep their dependencies on it."
        ),
    )
    create_draft = mutation(
        draft.create,
        inputs.CreateDraftInput,
        payloads.DraftPayload,
        "Create a draft from the current version. A job has at most one draft.",
    )
    update_draft = mutation(draft.update, inputs.UpdateDraftInput, payloads.DraftPayload, "Change fields of the draft.")
    discard_draft = mutation(
        draft.discard, inputs.DiscardDraftInput, payloads.DiscardedDraftPayload, "Discard the draft of a job."
    )
    publish_draft = mutation(
        draft.publish,
        inputs.PublishDraftInput,
        payloads.VersionPayload,
        "Publish the draft: it becomes the current version and never changes again.",
    )
    create_version = mutation(
        version.create,
        inputs.CreateVersionInput,
        payloads.VersionPayload,
        "Create, change and publish a draft in one step. Refused while the job has a draft.",
    )
    activate_version = mutation(
        version.activate,
        inputs.ActivateVersionInput,
        payloads.VersionPayload,
        "Make a published version the current one, for example to roll back. Refused while the job has a draft.",
    )
    add_teams_to_job = mutation(
        job.add_teams, inputs.AddTeamsToJobInput, payloads.JobPayload, "Give teams access to a job."
    )
    remove_team_from_job = mutation(
        job.remove_team, inputs.RemoveTeamFromJobInput, payloads.JobPayload, "Remove a team's access to a job."
    )
    update_organization = mutation(
        organization.update,
        inputs.UpdateOrganizationInput,
        payloads.OrganizationPayload,
        "Rename the organization. Needs the organization role ADMIN.",
    )
