"""Hypothesis strategies for job documents, with all kinds of configurations."""

from typing import Any

from hypothesis import strategies as st

from mainsheet.models.schedule import Schedule
from tests.models.any_cron import DAYS, TIMES

# Names that YAML would take for something else, or that need quotes.
TEAMS = ("data-eng", "null", "on: off")
CLUSTERS = ("prod", "1e3")
QUERIES = ("orders", "# no comment", "- item", "2024-01-31", "ünï çødé")
KEYS = ("first", "second", "third", "0123", "no")

prose = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\t\n\r"), max_size=40)
line = st.text(st.characters(categories=["Ll", "Lu", "Nd", "Po", "Sm"]), min_size=1, max_size=20)
code = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
sql = code.filter(lambda text: text.strip() != "")


def optional(required: dict[str, Any], **others: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=others)


arguments = st.lists(code, max_size=3)
sources = st.one_of(
    st.fixed_dictionaries({"savedQueries": st.lists(st.sampled_from(QUERIES), min_size=1, max_size=4)}),
    st.fixed_dictionaries({"sqlSnapshot": optional({"sql": sql}, origin=line)}),
    st.fixed_dictionaries(
        {"pythonWheel": optional({"packageName": line, "entryPoint": line}, version=line, arguments=arguments)}
    ),
    st.fixed_dictionaries({"pythonFile": optional({"path": line}, arguments=arguments)}),
)
crons = st.one_of(
    st.tuples(TIMES, DAYS).map(" ".join),
    st.sampled_from(["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "  0  4 * * *"]),
)
policies = st.one_of(
    st.sampled_from([{}, {"concurrencyPolicy": "SKIP"}, {"concurrencyPolicy": "REPLACE"}]),
    st.fixed_dictionaries({"concurrencyPolicy": st.just("ALLOW"), "maxConcurrentRuns": st.integers(1, 9)}),
)
schedules = st.builds(
    lambda own, policy: {**own, **policy},
    optional(
        {"cron": crons},
        timezone=st.sampled_from(["UTC", "Etc/UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/La_Rioja"]),
        missedSchedulePolicy=st.sampled_from(["SKIP", "RUN_ONCE", "RUN_ALL"]),
    ),
    policies,
).filter(lambda values: not any(Schedule(cron=values["cron"]).problems(())))  # some never fire
computes = st.one_of(
    optional({}, executionMode=st.just("STANDALONE"), driverInstanceType=line),
    optional(
        {"executionMode": st.just("CLUSTER")},
        driverInstanceType=line,
        executorInstanceType=line,
        executorCount=st.integers(0, 9),
    ),
)
variable_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
variables = st.one_of(
    st.fixed_dictionaries({"name": variable_names, "value": code}),
    st.fixed_dictionaries({"name": variable_names, "secretReference": line}),
)
conditions = st.sampled_from([{}, *({"condition": each} for each in ("ON_SUCCESS", "ON_COMPLETION", "ON_FAILURE"))])


def configs(earlier: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Configurations that may depend on the earlier jobs."""
    waits = st.builds(
        lambda key, condition: {"jobKey": key, **condition}, st.sampled_from(earlier or ("",)), conditions
    )
    return optional(
        {"cluster": st.sampled_from(CLUSTERS), "source": sources},
        schedule=schedules,
        dependencies=st.lists(waits, max_size=3 if earlier else 0, unique_by=lambda each: each["jobKey"]),
        compute=computes,
        environment=st.lists(variables, max_size=3, unique_by=lambda each: each["name"]),
        maxRetries=st.integers(0, 10),
        retryDelaySeconds=st.integers(0, 2**31 - 1),
        timeoutSeconds=st.integers(1, 2**31 - 1),
    )


def documents(earlier: tuple[str, ...], job_key: str) -> st.SearchStrategy[dict[str, Any]]:
    return optional(
        {
            "jobKey": st.just(job_key),
            "name": line,
            "teams": st.lists(st.sampled_from(TEAMS), min_size=1, unique=True),
            "config": configs(earlier),
        },
        description=prose,
        tags=st.lists(st.from_regex(r"[a-z0-9][a-z0-9_.:/-]{0,20}", fullmatch=True), max_size=3),
        status=st.sampled_from(["ACTIVE", "PAUSED"]),
    )


graphs = st.integers(1, 3).flatmap(
    lambda count: st.tuples(*(documents(KEYS[:each], KEYS[each]) for each in range(count)))
)
