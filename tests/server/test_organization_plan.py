"""What is exported from any organization can be written, read and compared: nothing has to be done."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mainsheet.models import limits
from mainsheet.server.job_files.files import text_of
from mainsheet.server.job_files.plan import CREATED, UNCHANGED
from mainsheet.server.organization_files.document import faults, normalized
from mainsheet.server.organization_files.plan import Plan
from mainsheet.server.organization_files.state import Existing, State
from mainsheet.server.yaml_document import parsed

ROLES = st.sampled_from(["VIEWER", "CONTRIBUTOR", "ADMIN"])
CODE = st.text(min_size=1, max_size=30).filter(lambda text: not any(limits.SQL.check(text, ())))
NAME = (
    st.one_of(
        st.text(min_size=1, max_size=20), st.sampled_from(["yes", "null", "1.0", "2026-11-27", "- a", "a: b", "#"])
    )
    .map(limits.NAME.form.normal)
    .filter(lambda name: not any(limits.NAME.check(name, ())))
)
PROSE = (
    st.text(max_size=40)
    .map(limits.DESCRIPTION.form.normal)
    .filter(lambda text: not any(limits.DESCRIPTION.check(text, ())))
)
EMAIL = st.from_regex(r"[a-z0-9!#+._-]{1,10}@[a-z0-9.-]{1,10}", fullmatch=True)
MANAGED = {"externalId": st.none() | NAME, "managedBy": st.none() | NAME}
ROLE = st.sampled_from(["MEMBER", "AUDITOR", "ADMIN"])
STATUS = st.sampled_from(["ACTIVE", "DISABLED"])


def objects(key: str, keys: st.SearchStrategy[str], **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return lists of values with unique keys and external ids."""
    one = st.fixed_dictionaries({key: keys, **values})
    by_id = lambda each: each.get("externalId") or object()  # noqa: E731
    return st.lists(one, max_size=4, unique_by=(lambda each: each[key], by_id))


@st.composite
def states(draw: st.DrawFn) -> State:
    teams = draw(objects("name", NAME, description=st.none() | PROSE, **MANAGED))
    names = [each["name"] for each in teams]
    roles = st.dictionaries(st.sampled_from(names), ROLES) if names else st.just({})
    team = st.sampled_from([*names, None])
    statuses = st.sampled_from(["ACTIVE", "FAILED", "DESTROYED"])
    clusters = draw(objects("name", NAME, region=st.none() | NAME, status=statuses, **MANAGED))
    actor = {"organizationRole": ROLE, "status": STATUS, **MANAGED}
    members = draw(objects("email", EMAIL, name=NAME, **actor))
    accounts = draw(objects("name", NAME, **actor))
    return State(
        draw(NAME),
        "MB0",
        {
            "teams": existing("TM", teams),
            "clusters": existing("CL", clusters),
            "members": with_roles("MB", members, draw, roles),
            "serviceAccounts": with_roles("SA", accounts, draw, roles),
            "savedQueries": existing("SQ", draw(objects("name", NAME, sql=CODE, team=team))),
        },
    )


def existing(prefix: str, found: Sequence[dict[str, Any]]) -> list[Existing]:
    return [Existing(f"{prefix}{number}", 1, each, {}) for number, each in enumerate(found, 1)]


def with_roles(
    prefix: str, found: Sequence[dict[str, Any]], draw: st.DrawFn, roles: st.SearchStrategy[dict[str, str]]
) -> list[Existing]:
    return [Existing(f"{prefix}{number}", 1, each, draw(roles)) for number, each in enumerate(found, 1)]


def written(state: State) -> dict[str, Any]:
    """Return the state's document after it was written to a file and read again."""
    document = parsed(text_of(state.document()))
    assert list(faults(document)) == []
    return normalized(document)


@given(states())
def test_what_is_exported_is_unchanged(state: State) -> None:
    plan = Plan(written(state), state, "acme.yaml", managed_by=None, prune=True)

    assert {each.outcome for each in plan.steps} <= {UNCHANGED}


@given(states())
def test_what_is_exported_is_created_in_an_empty_organization(state: State) -> None:
    empty = State(state.organization, "MB0", dict.fromkeys(state.objects, ()))
    document = written(state)
    teamless = [each for each in state.objects["savedQueries"] if each.values["team"] is None]

    plan = Plan(document, empty, "acme.yaml", managed_by=None, prune=True)

    created = [each for each in plan.steps if each.outcome == CREATED]
    roles = sum(len(each.roles) for section in ("members", "serviceAccounts") for each in state.objects[section])
    assert len(created) == sum(map(len, state.objects.values())) + roles - len(teamless)


@given(states())
def test_an_empty_document_prunes_nothing_without_sections(state: State) -> None:
    plan = Plan({"organization": state.organization}, state, "acme.yaml", managed_by=None, prune=True)

    assert (plan.steps, plan.kept) == ([], [])


def test_names_of_teams_are_compared_as_they_are_stored() -> None:
    team, sent = "caf\u00e9", " cafe\u0301 "
    document = {
        "organization": sent,
        "teams": [{"name": sent}],
        "serviceAccounts": [{"name": "deployer", "teams": [{"team": sent, "role": "VIEWER"}]}],
        "savedQueries": [{"name": "daily", "sql": "SELECT 1", "team": sent}],
    }

    made = normalized(document)

    assert (made["organization"], made["teams"]) == (team, [{"name": team}])
    assert made["serviceAccounts"][0]["teams"] == [{"team": team, "role": "VIEWER"}]
    assert made["savedQueries"][0]["team"] == team
