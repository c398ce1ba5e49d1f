"""Random steps in the lives of jobs, with some likely sequences."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from mainsheet.models.job_run import JobRunStatus

members = st.sampled_from(["admin"] * 6 + ["contributor"] * 3 + ["team_admin"] * 2 + ["viewer", "auditor"])
keys = st.sampled_from(["alpha"] * 4 + ["beta"] * 3 + ["gamma"])
teams = st.sampled_from(["data-eng", "analytics", "platform", "data-eng", "analytics", "elsewhere"])
team_lists: st.SearchStrategy[list[str]] = st.lists(teams, min_size=1, max_size=2) | st.just([])
messages = st.none() | st.just("because")
offsets = st.sampled_from([None] * 4 + [0] * 4 + [1])
parts: dict[str, st.SearchStrategy[Any]] = {
    "clusterId": st.sampled_from(["active"] * 5 + ["failed", "failed", "nowhere", None]),
    "maxRetries": st.sampled_from([1, 2, 3, 1, 2, 3, 11, None]),
    "timeoutSeconds": st.sampled_from([60, None]),
    "schedule": st.sampled_from([{"cron": "0 6 * * *"}, None]),
    "environment": st.sampled_from([[{"name": "STAGE", "value": "test"}], [], None]),
    "dependencies": st.lists(keys, max_size=2) | st.none(),
    "removeDependencyIds": st.lists(st.integers(0, 2), max_size=2),
}
changes = st.one_of(
    [st.fixed_dictionaries({}, optional={name: part}) for name, part in parts.items()]
) | st.fixed_dictionaries({}, optional=parts)
fine = st.fixed_dictionaries({}, optional={"maxRetries": st.integers(1, 3), "dependencies": parts["dependencies"]})
clusters = st.sampled_from(["active"] * 6 + ["failed", "nowhere"])
configs = st.fixed_dictionaries({"clusterId": clusters}, optional={"dependencies": st.lists(keys, max_size=2)})
dry: Mapping[str, Any] = {"dry_run": st.sampled_from([False, False, False, True])}


def step(name: str, /, optional: Mapping[str, Any] | None = None, **values: Any) -> st.SearchStrategy[dict[str, Any]]:
    own = {"do": st.just(name), "by": members, "job": keys}
    return st.fixed_dictionaries(own | values, optional=optional or {})


updates = {"name": st.sampled_from(["Any", "Other", None]), "status": st.sampled_from(["PAUSED", "ACTIVE"])}
publication = step("publish_draft", message=messages, expected_draft=offsets, expected_current=offsets, **dry)
activation = step("activate_version", number=st.integers(1, 5), message=messages, expected_current=offsets, **dry)
turn_of_a_cluster = step(
    "turn_cluster", cluster=st.sampled_from(["active", "failed"]), status=st.sampled_from(["ACTIVE", "FAILED"])
)
a_step = st.one_of(
    step("create_draft", changes=changes, **dry),
    step("update_draft", changes=changes, expected_draft=offsets, **dry),
    step("discard_draft", expected_draft=offsets),
    publication,
    step("create_version", changes=changes, message=messages, expected_current=offsets, **dry),
    activation,
    step("add_teams_to_job", teams=team_lists),
    step("remove_team_from_job", team=teams),
    step("update_job", optional=updates, message=messages, expected_job=offsets),
    step("create_job", teams=team_lists, config=configs),
    step("delete_job", expected_job=offsets, force=st.booleans()),
    step("run", status=st.sampled_from(list(JobRunStatus))),
    turn_of_a_cluster,
)


def story(*steps: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Generate sequences of steps that depend on each other, which single random steps rarely form."""
    same = st.fixed_dictionaries(
        {"by": st.sampled_from(["admin", "contributor"]), "job": st.sampled_from(["alpha", "beta"])}
    )
    return st.tuples(same, st.tuples(*steps)).map(lambda each: [one | each[0] for one in each[1]])


def one(name: str, job: str, **values: Any) -> dict[str, Any]:
    return {"do": name, "by": "admin", "job": job, **values}


def deletion_of_a_dependency(by: str, removed: list[int]) -> list[dict[str, Any]]:
    """Publish a draft that depends on a deleted job: refused until the dependency is removed."""
    return [
        one("create_version", "alpha", changes={"dependencies": ["beta"]}),
        one("create_draft", "alpha", changes={}),
        one("delete_job", "beta"),
        one("delete_job", "beta", force=True),
        one("publish_draft", "alpha") | {"by": by},
        one("update_draft", "alpha", changes={"removeDependencyIds": removed}) | {"by": by},
        one("publish_draft", "alpha") | {"by": by},
        one("activate_version", "alpha", number=2) | {"by": by},
    ]


drafting = step("create_draft", changes=fine)
stories = st.one_of(
    st.lists(a_step, min_size=1, max_size=6),
    story(drafting, step("update_draft", changes=fine, expected_draft=offsets), publication),
    story(drafting, step("update_draft", changes=changes), step("discard_draft"), drafting, publication),
    story(step("create_version", changes=fine, message=messages), activation, activation),
    story(step("create_version", changes=fine), drafting, activation, activation),
    story(drafting, turn_of_a_cluster, publication),
    st.builds(deletion_of_a_dependency, members, st.lists(st.integers(0, 1), max_size=2)),
    story(step("add_teams_to_job", teams=team_lists), *[step("remove_team_from_job", team=teams)] * 3),
    story(
        step("run", status=st.sampled_from(list(JobRunStatus))),
        step("delete_job", expected_job=offsets, force=st.booleans()),
    ),
)
steps_of_a_life = st.lists(stories, min_size=2, max_size=8).map(lambda each: list(chain.from_iterable(each)))
