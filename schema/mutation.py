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
        "The mutations. Each mutation is one transaction: it makes all of its changes or none. In"
        " `updateJobs`, `createScheduledRuns`, `reportRuns` and, in the mode EACH, `applyJobs`, each item"
        " is a transaction of its own: the errors of an item are in its result. In inputs, null in an"
        " optional field is the same as omitting the field, unless its description says otherwise."
    )
)
class Mutation(ProvisioningMutation, WebhookMutation):
    create_job = mutation(
        job.create,
        inputs.CreateJobInput,
        payloads.JobPayload,
        "Create a job and its first published version, which is current.",
    )
    update_job = mutation(
        job.update,
        inputs.UpdateJobInput,
        payloads.JobPayload,
        "Change the name, description, tags or status of a job. Needs the permission EDIT on it.",
    )
    update_jobs = batch(
        job.update_many,
        inputs.UpdateJobsInput,
        payloads.UpdatedJobsPayload,
        _updated,
        (
            "Change the names, descriptions, tags or statuses of many jobs. Each item is a transaction of its"
            " own. Needs the permission EDIT on the jobs."
        ),
    )
    apply_jobs = batch(
        apply.apply,
        ApplyJobsInput,
        ApplyPayload,
        _applied,
        (
            "Create or change jobs so that they are as documents say. Applying the same documents again"
            " changes nothing. Creating a job needs what `createJob` needs, changing one the permission EDIT"
            " and, for other teams, MANAGE_TEAMS."
        ),
    )
    delete_job = mutation(
        job.delete,
        inputs.DeleteJobInput,
        payloads.DeletedJobPayload,
        (
            "Delete a job with its versions and runs, after cancelling its unfinished runs. This can't be"
            " undone. Refused while current versions or drafts of other jobs depend on it, unless `force` is"
            " true. Versions of other jobs keep their dependencies on it. Needs the permission DELETE on the"
            " job."
        ),
    )
    clone_job = mutation(
        job.clone,
        inputs.CloneJobInput,
        payloads.ClonedJobPayload,
        (
            "Create a job with the configuration of a version of another job, including its dependencies"
            " on jobs that you can't see. The version's cluster must be active, and no job that it"
            " depends on may be deleted."
        ),
    )
    create_draft = mutation(
        draft.create,
        inputs.CreateDraftInput,
        payloads.DraftPayload,
        (
            "Create a draft from the current version, or from another published one. A job has at most one"
            " draft. Needs the permission EDIT on the job."
        ),
    )
    update_draft = mutation(
        draft.update,
        inputs.UpdateDraftInput,
        payloads.DraftPayload,
        "Change the configuration of the draft. Needs the permission EDIT on the job.",
    )
    discard_draft = mutation(
        draft.discard,
        inputs.DiscardDraftInput,
        payloads.DiscardedDraftPayload,
        "Discard the draft of a job. Needs the permission EDIT on it.",
    )
    publish_draft = mutation(
        draft.publish,
        inputs.PublishDraftInput,
        payloads.VersionPayload,
        (
            "Publish the draft: it becomes the current version and never changes again. The draft's cluster must be"
            " active. Needs the permission EDIT on the job."
        ),
    )
    create_version = mutation(
        version.create,
        inputs.CreateVersionInput,
        payloads.VersionPayload,
        (
            "Change the configuration of the current version and publish it as a new version, in one step."
            " Refused while the job has a draft. Needs the permission EDIT on the job."
        ),
    )
    activate_version = mutation(
        version.activate,
        inputs.ActivateVersionInput,
        payloads.VersionPayload,
        (
            "Make a published version the current one, for example to roll back. Refused while the job has a"
            " draft, unless `discardDraft` is true. The version's cluster must be active. Activating the current"
            " version changes nothing. Needs the permission EDIT on the job."
        ),
    )
    add_teams_to_job = mutation(
        job.add_teams,
        inputs.AddTeamsToJobInput,
        payloads.JobPayload,
        "Give teams access to a job. Needs the permission MANAGE_TEAMS on it.",
    )
    remove_team_from_job = mutation(
        job.remove_team,
        inputs.RemoveTeamFromJobInput,
        payloads.JobPayload,
        "Remove a team's access to a job. Needs the permission MANAGE_TEAMS on it.",
    )
    trigger_run = mutation(
        run.trigger,
        run_input.TriggerRunInput,
        run_payloads.RunPayload,
        (
            "Create a run of the current version, or of another published one. A paused job can be run, too."
            " Needs the permission RUN on the job."
        ),
    )
    release_run = mutation(
        run.release,
        run_input.ReleaseRunInput,
        run_payloads.RunPayload,
        (
            "Make a pending run ready, so that a worker can claim it. Releasing a ready or running run"
            " changes nothing. Needs the permission RUN on the job."
        ),
    )
    cancel_run = mutation(
        run.cancel,
        run_input.CancelRunInput,
        run_payloads.RunPayload,
        (
            "Cancel a run. A pending or ready run is cancelled at once. For a running run, the result of the"
            " worker's next report has `cancelRequested`, and the run is cancelled when the worker reports"
            " CANCELLED or its lease expires. Cancelling a finished run changes nothing. Needs the permission"
            " RUN on the job."
        ),
    )
    delete_run = mutation(
        run.delete,
        run_input.DeleteRunInput,
        run_payloads.DeletedRunPayload,
        "Delete a run that has finished. Needs the permission DELETE on the job.",
    )
    create_scheduled_runs = batch(
        scheduled_run.create,
        run_input.CreateScheduledRunsInput,
        run_payloads.ScheduledRunsPayload,
        _scheduled,
        (
            "Create runs for times of schedules. There is at most one run for each job and time. Needs the"
            " permission RUN on the jobs."
        ),
    )
    claim_runs = mutation(
        claim.claim,
        run_input.ClaimRunsInput,
        run_payloads.ClaimedRunsPayload,
        (
            "Claim ready runs of the jobs on which you have the permission RUN, each for the time of a lease."
            " The oldest come first, but no job gets a second run before each other job got its first. If the"
            " lease expires, the run becomes ready again or, without retries left, fails. A lease that"
            " expires before the first report uses no retry, at most ten times for each run."
        ),
    )
    report_runs = batch(
        claim.report,
        run_input.ReportRunsInput,
        run_payloads.ReportedRunsPayload,
        _reported,
        (
            "Report on claimed runs: that they are executing, which renews the leases, or how they ended."
            " Needs the permission RUN on the jobs."
        ),
    )
    update_organization = mutation(
        organization.update,
        inputs.UpdateOrganizationInput,
        payloads.OrganizationPayload,
        "Rename the organization. Needs the organization role ADMIN.",
    )
