"""Functions with which stories define the parts of a configuration."""

from typing import Any

from mainsheet.models.job_config import ExecutionMode
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

SPREAD = {
    "execution_mode": ExecutionMode.CLUSTER,
    "driver_instance_type": "m6i.xlarge",
    "executor_instance_type": "r6i.2xlarge",
    "executor_count": 4,
}


def queries(*names: str) -> dict[str, Any]:
    return {"saved_queries": {"query_ids": list(names)}}


def sql(text: str, origin: str | None = None) -> dict[str, Any]:
    return {"sql_snapshot": {"sql": text, "origin": origin}}


def wheel(package: str, entry_point: str, version: str | None = None, *arguments: str) -> dict[str, Any]:
    return {
        "python_wheel": {
            "package_name": package,
            "entry_point": entry_point,
            "version": version,
            "arguments": list(arguments),
        }
    }


def file(path: str, *arguments: str) -> dict[str, Any]:
    return {"python_file": {"path": path, "arguments": list(arguments)}}


def at(
    cron: str,
    timezone: str = "UTC",
    policy: ConcurrencyPolicy = ConcurrencyPolicy.SKIP,
    *,
    missed: MissedSchedulePolicy = MissedSchedulePolicy.SKIP,
    most: int | None = None,
) -> dict[str, Any]:
    """Return a schedule. `most` is the number of concurrent runs under ALLOW."""
    return {
        "cron": cron,
        "timezone": timezone,
        "concurrency_policy": policy,
        "missed_schedule_policy": missed,
        "max_concurrent_runs": most,
    }


def variables(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def secrets(**references: str) -> list[dict[str, str]]:
    """Return environment variables that refer to secrets."""
    return [{"name": name, "secret_reference": reference} for name, reference in references.items()]
