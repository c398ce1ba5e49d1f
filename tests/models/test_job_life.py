"""The life of a job without a database: when each step is allowed, and its effects."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.edit import Edit
from mainsheet.models.errors import (
    ClusterNotActive,
    DependencyCycle,
    DraftExists,
    DraftNotFound,
    Refused,
    StaleRevision,
    TeamNotFound,
    TeamRequired,
    UserError,
    VersionNotFound,
    VersionNotPublished,
)
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_steps import NEEDS_DRAFT, expect
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.references import References
from mainsheet.models.source import SqlSnapshot

AT = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCES = References(clusters={"CL1": ClusterStatus.ACTIVE, "CL2": ClusterStatus.FAILED}, jobs=frozenset({"JB2"}))
NEXT = {"max_retries": 3}
Step = Callable[[Job, Edit], object]

STEPS: Mapping[EventAction, Step] = {
    EventAction.DRAFT_CREATED: lambda job, edit: job.create_draft(NEXT, REFERENCES, edit),
    EventAction.DRAFT_UPDATED: lambda job, edit: job.update_draft(NEXT, REFERENCES, edit),
    EventAction.DRAFT_DISCARDED: lambda job, edit: job.discard_draft(edit),
    EventAction.DRAFT_PUBLISHED: lambda job, edit: job.publish_draft("done", REFERENCES, edit),
    EventAction.VERSION_CREATED: lambda job, edit: job.create_version(NEXT, "now", REFERENCES, edit),
    EventAction.VERSION_ACTIVATED: lambda job, edit: job.activate(1, job.current, "back", REFERENCES, edit),
}


def edit() -> Edit:
    return Edit("MB1", AT)


@pytest.fixture
def job() -> Job:
    config = JobConfig(cluster_id="CL1", source=SqlSnapshot("SELECT 1"))
    return Job.create({"job_key": "a", "name": "A", "description": None}, config, ["TM1"], "OR1", edit())


@pytest.fixture
def draft(job: Job) -> JobVersion:
    return job.create_draft({"max_retries": 1}, REFERENCES, edit())


def state(job: Job) -> tuple[object, ...]:
    return job.revision, job.current_number, job.last_number, job.event_count, job.draft, job.current, len(job.teams)


def refused(job: Job, step: Step, *, by: Edit | None = None) -> list[type[UserError]]:
    """Return the problems of the step. Asserts that the job and its history are unchanged."""
    by, before = by or edit(), state(job)
    with pytest.raises(Refused) as refusal:
        step(job, by)
    assert state(job) == before
    assert by.events == []
    return [type(each) for each in refusal.value.problems]


def test_a_new_job_has_one_published_version(job: Job) -> None:
    assert (job.status, job.revision, job.current_number, job.last_number) == (JobStatus.ACTIVE, 1, 1, 1)
    assert (job.current.status, job.current.number, job.draft) == (JobVersionStatus.PUBLISHED, 1, None)


def test_every_step_is_tested() -> None:
    assert STEPS.keys() == NEEDS_DRAFT.keys()


@pytest.mark.parametrize("action", NEEDS_DRAFT)
def test_a_step_is_refused_in_the_wrong_state(job: Job, action: EventAction) -> None:
    if not NEEDS_DRAFT[action]:
        job.create_draft({}, REFERENCES, edit())

    assert refused(job, STEPS[action]) == [DraftNotFound if NEEDS_DRAFT[action] else DraftExists]


# After each step: revision, current number, last number, number of the draft or None; and the versions in its event.
AFTER: Mapping[EventAction, tuple[tuple[int, int, int, int | None], tuple[int | None, int | None]]] = {
    EventAction.DRAFT_CREATED: ((2, 1, 2, 2), (1, 2)),
    EventAction.DRAFT_UPDATED: ((2, 1, 2, 2), (None, 2)),
    EventAction.DRAFT_DISCARDED: ((3, 1, 2, None), (2, None)),
    EventAction.DRAFT_PUBLISHED: ((3, 2, 2, None), (1, 2)),
    EventAction.VERSION_CREATED: ((2, 2, 2, None), (1, 2)),
}


@pytest.mark.parametrize("action", AFTER)
def test_an_allowed_step_records_one_event(job: Job, action: EventAction) -> None:
    if NEEDS_DRAFT[action]:
        job.create_draft({"max_retries": 1}, REFERENCES, edit())
    by, numbers = edit(), AFTER[action]

    STEPS[action](job, by)

    draft = job.draft.number if job.draft else None
    assert (job.revision, job.current_number, job.last_number, draft) == numbers[0]
    (event,) = by.events
    assert (event.action, event.subject_id) == (action, job.id)
    assert (event.from_version_number, event.to_version_number) == numbers[1]


def test_any_published_version_can_be_activated(job: Job) -> None:
    first = job.current
    second = job.create_version(NEXT, None, REFERENCES, edit())
    by = edit()

    job.activate(1, first, "back", REFERENCES, by)
    job.activate(1, first, "again", REFERENCES, by)  # it is current already
    job.activate(2, second, None, REFERENCES, by)

    assert [(each.from_version_number, each.to_version_number) for each in by.events] == [(2, 1), (1, 2)]
    assert (job.current, job.current_number, job.revision) == (second, 2, 4)


def test_missing_versions_and_drafts_cannot_be_activated(job: Job, draft: JobVersion) -> None:
    job.discard_draft(edit())

    assert refused(job, lambda job, by: job.activate(7, None, None, REFERENCES, by)) == [VersionNotFound]
    assert refused(job, lambda job, by: job.activate(2, draft, None, REFERENCES, by)) == [VersionNotPublished]


def test_version_numbers_are_never_reused(job: Job, draft: JobVersion) -> None:
    job.discard_draft(edit())

    again = job.create_draft({}, REFERENCES, edit())

    assert (draft.number, again.number) == (2, 3)
    assert again.revision > draft.revision


def test_the_same_values_again_change_nothing(job: Job, draft: JobVersion) -> None:
    by, before = edit(), (state(job), draft.revision)

    job.update_draft({"max_retries": 1}, REFERENCES, by)
    job.update({"name": "A"}, None, by)
    job.add_teams(["TM1"], by)

    assert (state(job), draft.revision) == before
    assert by.events == []


def test_an_edit_of_a_draft_raises_its_own_revision_only(job: Job, draft: JobVersion) -> None:
    before = job.revision, draft.revision

    job.update_draft(NEXT, REFERENCES, edit())

    assert (job.revision, draft.revision) == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (lambda job, by: job.create_version({"cluster_id": "CL2"}, None, REFERENCES, by), ClusterNotActive),
        (
            lambda job, by: job.create_version(
                {"dependencies": [{"job_id": "JB2"}]},
                None,
                References(clusters=REFERENCES.clusters, jobs=REFERENCES.jobs, waits_for={"JB2": [job.id]}),
                by,
            ),
            DependencyCycle,
        ),
    ],
    ids=["cluster", "cycle"],
)
def test_an_invalid_configuration_cannot_become_current(job: Job, step: Step, error: type[UserError]) -> None:
    assert refused(job, step) == [error]


def test_an_invalid_draft_can_be_stored_but_not_published(job: Job) -> None:
    job.create_draft({"cluster_id": "CL2"}, REFERENCES, edit())

    assert refused(job, STEPS[EventAction.DRAFT_PUBLISHED]) == [ClusterNotActive]


@pytest.mark.parametrize("expected", [{"revision": 7}, {"current_version": 7}], ids=lambda each: next(iter(each)))
def test_a_wrong_expectation_refuses_the_step(job: Job, expected: dict[str, int]) -> None:
    by = edit()
    expect(job, by, **expected)

    assert refused(job, STEPS[EventAction.DRAFT_CREATED], by=by) == [StaleRevision]


def test_all_problems_are_raised_together(job: Job, draft: JobVersion) -> None:
    by = edit()
    expect(job, by, revision=7)

    problems = refused(job, lambda job, by: job.create_version({"max_retries": 11}, None, REFERENCES, by), by=by)

    assert [each.code for each in problems] == ["STALE_REVISION", "DRAFT_EXISTS", "INVALID"]


def test_a_job_keeps_its_last_team(job: Job) -> None:
    with pytest.raises(TeamRequired):
        job.remove_team("TM1", edit())
    with pytest.raises(TeamNotFound):
        job.remove_team("TM2", edit())
    job.add_teams(["TM2"], edit())

    job.remove_team("TM1", edit())

    assert [each.team_id for each in job.teams] == ["TM2"]


def test_a_draft_knows_who_changed_it_last(job: Job, draft: JobVersion) -> None:
    assert (draft.edited_at, draft.edited_by_id) == (None, None)
    later = Edit("MB2", AT + timedelta(days=1))

    job.update_draft({"max_retries": 1}, REFERENCES, later)
    assert (draft.edited_at, draft.edited_by_id) == (None, None)
    job.update_draft({"max_retries": 2}, REFERENCES, later)
    job.publish_draft(None, REFERENCES, Edit("MB3", AT + timedelta(days=2)))

    assert (draft.edited_at, draft.edited_by_id) == (later.at, "MB2")


def test_a_job_knows_when_its_current_version_changed(job: Job) -> None:
    edits = [Edit("MB1", AT + timedelta(days=days)) for days in range(1, 5)]
    assert job.activated_at is None

    job.create_version(NEXT, None, REFERENCES, edits[0])
    assert job.activated_at == edits[0].at
    job.create_draft(NEXT, REFERENCES, edits[1])
    assert job.activated_at == edits[0].at
    job.publish_draft(None, REFERENCES, edits[2])
    assert job.activated_at == edits[2].at
    job.activate(job.current_number, job.current, None, REFERENCES, edits[3])
    assert job.activated_at == edits[2].at
