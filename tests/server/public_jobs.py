"""Twenty jobs as people publish them, for Databricks bundles, Airflow and Kestra, written as documents of ours."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Published(NamedTuple):
    """The facts of one published job."""

    job_key: str
    name: str
    source: dict[str, Any]
    cron: str | None = None
    timezone: str = "UTC"
    after: tuple[str, ...] = ()
    more: dict[str, Any] = {}  # noqa: RUF012 never changed


def wheel(package: str, entry: str, *arguments: str) -> dict[str, Any]:
    own = {"packageName": package, "entryPoint": entry}
    return {"pythonWheel": own | ({"arguments": list(arguments)} if arguments else {})}


def file(path: str, *arguments: str) -> dict[str, Any]:
    return {"pythonFile": {"path": path, **({"arguments": list(arguments)} if arguments else {})}}


def sql(*lines: str) -> dict[str, Any]:
    return {"sqlSnapshot": {"sql": "\n".join(lines)}}


def variables(**values: str) -> dict[str, Any]:
    return {"environment": [{"name": name, "value": value} for name, value in values.items()]}


ON_CLUSTER = {"compute": {"executionMode": "CLUSTER", "driverInstanceType": "i3.xlarge", "executorCount": 4}}
CATCH_UP = {"missedSchedulePolicy": "RUN_ALL"}
PUBLISHED = [
    Published("default-python-job", "Default Python job", wheel("my_project", "main"), "0 8 * * *", "Europe/Amsterdam"),
    Published("nyc-taxi-notebook", "NYC taxi", file("src/notebook.py", "--catalog", "main"), more=ON_CLUSTER),
    Published("dlt-refresh", "Refresh the pipeline", file("src/refresh.py", "--full-refresh"), "@daily"),
    Published(
        "wheel-parameters", "Wheel with parameters", wheel("etl", "run", "--date", "{{job.start_time.iso_date}}")
    ),
    Published(
        "sql-warehouse-report", "Report", sql("SELECT count(*)", "FROM trips", "WHERE fare > 0;"), "30 6 * * 1-5"
    ),
    Published(
        "dbt-on-cluster", "dbt build", wheel("dbt", "dbt.cli.main:cli", "build", "--target", "prod"), "15 */2 * * *"
    ),
    Published("backfill-table", "Backfill", file("jobs/backfill.py"), more={"timeoutSeconds": 86_400, **ON_CLUSTER}),
    Published(
        "tutorial", "Tutorial", file("dags/tutorial.py"), "@daily", more={"maxRetries": 1, "retryDelaySeconds": 300}
    ),
    Published("tutorial-taskflow-extract", "Extract", file("dags/extract.py")),
    Published(
        "tutorial-taskflow-transform", "Transform", file("dags/transform.py"), after=("tutorial-taskflow-extract",)
    ),
    Published("tutorial-taskflow-load", "Load", file("dags/load.py"), after=("tutorial-taskflow-transform",)),
    Published("branch-datetime", "Working hours", file("dags/branch.py"), "*/15 9-17 * * MON-FRI", "America/New_York"),
    Published("latest-only", "Latest only", sql("SELECT 1"), "0 */4 * * *", after=("tutorial",)),
    Published("create-pet-table", "Pets", sql("CREATE TABLE IF NOT EXISTS pet (", "  id serial PRIMARY KEY", ");", "")),
    Published("populate-pet-table", "Fill pets", sql("INSERT INTO pet VALUES (1, 'Max''s dog');")),
    Published(
        "hello-world", "Hello, Wörld! 👋", file("hello.py"), more={"description": "Prints:\n\n- a greeting\n- `$x`"}
    ),
    Published(
        "api-to-warehouse", "API", wheel("ingest", "cli", "--url=https://dummyjson.com/products"), "0 0 1,15 * *"
    ),
    Published("monthly-invoice", "Invoices", sql("CALL invoice('2024-01-31')"), "0 3 LW * *", "Asia/Kolkata"),
    Published(
        "slack-digest",
        "Digest: on, off",
        file("digest.py"),
        "0 17 * * 5L",
        more=variables(LEVEL="yes", PORT="0x1F", N="1e3"),
    ),
    Published(
        "scheduled-backup", "Backup", file("backup.py"), "5 4 * * sun", more={"schedule": CATCH_UP, "tags": ["ops"]}
    ),
]


def documents(cluster: str, team: str) -> Iterator[dict[str, Any]]:
    for each in PUBLISHED:
        own = dict(each.more)
        config: dict[str, Any] = {"cluster": cluster, "source": each.source}
        if each.cron:
            config["schedule"] = {"cron": each.cron, "timezone": each.timezone, **own.pop("schedule", {})}
        if each.after:
            config["dependencies"] = [{"jobKey": key} for key in each.after]
        top: dict[str, Any] = {name: own.pop(name) for name in ("description", "tags") if name in own}
        yield {"jobKey": each.job_key, "name": each.name, "teams": [team], **top, "config": config | own}
