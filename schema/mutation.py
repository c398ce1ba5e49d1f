from collections.abc import Mapping
from typing import Any

import strawberry

from mainsheet.resolvers.commands import apply, claim, draft, job, organization, run, scheduled_run, version
from mainsheet.resolvers.commands.apply import ApplyOutcome
from mainsheet.schema import inputs, payloads, run_input, run_payloads
from mainsheet.schema.document import ApplyJobsInput, ApplyPayload, ApplyResult
from mainsheet.schema.mutation_field import batch, mutation
from mainsheet.schema.provisioning import ProvisioningMutation
from mainsheet.schema.webhook_mutation import WebhookMutation


def _updated(item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    return payloads.UpdateJobsResult(**{"job_id": item["job_id"], **answer}, user_errors=problems)


def _applied(item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    known = {"job_key": item["job_key"], "outcome": ApplyOutcome.REFUSED, **answer}
    known["outcome"] = ApplyOutcome(known["outcome"])
    return ApplyResult(**known | {"event_ids": tuple(known.get("event_ids", ()))}, user_errors=problems)


def _scheduled(_item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    return run_payloads.ScheduledRunResult(**answer, user_errors=problems)


def _reported(item: Mapping[str, Any], answer: Mapping[str, Any], problems: list[Any]) -> Any:
    return run_payloads.RunReportResult(**{"run_id": item["run_id"], **answer}, user_errors=problems)


@strawberry.type(
    description=(
        "The mutations. Each mutation is one transaction: it makes all of its changes or none. Of mutations that take a"
        " list of items, each item is a transaction of its own, and is changed or refused by itself: `updateJobs`,"
        " `createScheduledRuns`, `reportRuns`, and `applyJobs` in the mode `EACH`."
    )
)
class Mutation(ProvisioningMutation, WebhookMutation):
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
    clone_job = mutation(
        job.clone,
        inputs.CloneJobInput,
        payloads.ClonedJobPayload,
        (
            "Create a job with the configuration of a version of another job, including its dependencies on jobs that"
            " you can't see. Its cluster must be active, and no job that it depends on may be deleted."
        ),
    )
    create_draft = mutation(
        draft.create,
        inputs.CreateDraftInput,
        payloads.DraftPayload,
        "Create a draft from the current version, or from an earlier one. A job has at most one draft.",
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
        "Make a published version the current one, for example to roll back. Refused while the job has a draft, unless "
        "`discardDraft` is true.",
    )
    add_teams_to_job = mutation(
        job.add_teams, inputs.AddTeamsToJobInput, payloads.JobPayload, "Give teams access to a job."
    )
    remove_team_from_job = mutation(
        job.remove_team, inputs.RemoveTeamFromJobInput, payloads.JobPayload, "Remove a team's access to a job."
    )
    trigger_run = mutation(
        run.trigger,
        run_input.TriggerRunInput,
        run_payloads.RunPayload,
        "Make a run of the current version, or of another published one. A paused job can be run, too.",
    )
    release_run = mutation(
        run.release,
        run_input.ReleaseRunInput,
        run_payloads.RunPayload,
        "Make a pending run ready, so that a worker can claim it. Releasing it again changes nothing.",
    )
    cancel_run = mutation(
        run.cancel,
        run_input.CancelRunInput,
        run_payloads.RunPayload,
        (
            "Cancel a run. A pending or ready run is cancelled at once. For a running run, the answer to the worker's"
            " next report has `cancelRequested`, and the run is cancelled when the worker reports `CANCELLED`."
            " Cancelling a finished run changes nothing."
        ),
    )
    delete_run = mutation(
        run.delete, run_input.DeleteRunInput, run_payloads.DeletedRunPayload, "Delete a run that has finished."
    )
    create_scheduled_runs = batch(
        scheduled_run.create,
        run_input.CreateScheduledRunsInput,
        run_payloads.ScheduledRunsPayload,
        _scheduled,
        "Make runs for times of schedules. There is at most one run for each job and time.",
    )
    claim_runs = mutation(
        claim.claim,
        run_input.ClaimRunsInput,
        run_payloads.ClaimedRunsPayload,
        (
            "Claim ready runs of the jobs that you may run, each for the time of a lease. The oldest come first, and"
            " each job's first run before any job's second. If the lease expires, another worker can claim the run."
        ),
    )
    report_runs = batch(
        claim.report,
        run_input.ReportRunsInput,
        run_payloads.ReportedRunsPayload,
        _reported,
        "Report on claimed runs: their progress, which renews the leases, or their end.",
    )
    update_organization = mutation(
        organization.update,
        inputs.UpdateOrganizationInput,
        payloads.OrganizationPayload,
        "Rename the organization. Needs the organization role ADMIN.",
    )
