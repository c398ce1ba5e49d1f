"""The other demo jobs of the team `data-eng`."""

from mainsheet.demo.life import (
    Story,
    discarded,
    drafted,
    paused,
    published,
    shared,
    versioned,
)
from mainsheet.demo.parts import SPREAD, at, file, queries, sql, wheel
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

ON_SUCCESS, ON_COMPLETION = DependencyCondition.ON_SUCCESS, DependencyCondition.ON_COMPLETION

STORIES = (
    Story(
        "daily-sales-etl",
        "Daily sales",
        ["data-eng", "analytics"],
        255,
        {
            "cluster": "prod-eu",
            "source": queries("Orders of the day", "Refunds of the day"),
            "schedule": at("0 4 * * *", "Europe/Berlin"),
            "after": {"orders-ingest": ON_SUCCESS},
            "max_retries": 1,
            "retry_delay_seconds": 300,
        },
        "Yesterday's orders and refunds, one row per order, in marts.orders and marts.refunds.",
        (
            (
                230,
                versioned(
                    "Refunds first have to be in", after={"orders-ingest": ON_SUCCESS, "refunds-ingest": ON_SUCCESS}
                ),
            ),
            (150, versioned("After the shop's nightly restart", schedule=at("30 4 * * *", "Europe/Berlin"))),
            (88.2, drafted(source=queries("Orders of the day", "Refunds of the day", "Net revenue by country"))),
            (88, published("Revenue by country in the same run")),
            (2.1, drafted(compute=SPREAD, timeout_seconds=5400)),
        ),
    ),
    Story(
        "stock-snapshot",
        "Stock snapshot",
        ["data-eng", "analytics"],
        240,
        {
            "cluster": "prod-eu",
            "source": sql(
                "INSERT INTO marts.stock\nSELECT current_date, sku, warehouse, on_hand, minimum FROM raw.stock",
                "git:warehouse/sql/stock_snapshot.sql@4be21c9",
            ),
            "schedule": at("50 23 * * *", "Europe/Lisbon", missed=MissedSchedulePolicy.RUN_ALL),
        },
        "What lay in each warehouse at the end of the day.",
        (
            (
                120,
                versioned(
                    "One row per warehouse and day, also when nothing is there",
                    source=sql(
                        "INSERT INTO marts.stock\n"
                        "SELECT current_date, s.sku, w.name, coalesce(r.on_hand, 0), s.minimum\n"
                        "FROM raw.skus AS s\nCROSS JOIN raw.warehouses AS w\n"
                        "LEFT JOIN raw.stock AS r ON r.sku = s.sku AND r.warehouse = w.name",
                        "git:warehouse/sql/stock_snapshot.sql@a07d5e1",
                    ),
                ),
            ),
        ),
    ),
    Story(
        "clickstream-sessions",
        "Clickstream sessions",
        ["data-eng"],
        221,
        {
            "cluster": "prod-us",
            "source": wheel("harbor-clicks", "harbor_clicks.sessions:run", "0.9.2", "--gap", "30m"),
            "schedule": at("10 * * * *", policy=ConcurrencyPolicy.ALLOW, most=3),
            "compute": SPREAD,
            "timeout_seconds": 7200,
        },
        "Cuts page views into sessions: a pause of half an hour ends one.",
        (
            (
                160,
                versioned(
                    "0.10 reads Parquet",
                    source=wheel("harbor-clicks", "harbor_clicks.sessions:run", "0.10.0", "--gap", "30m"),
                ),
            ),
            (110.3, drafted(compute={**SPREAD, "executor_count": 12})),
            (109, discarded()),
            (108, versioned("Eight executors are enough", compute={**SPREAD, "executor_count": 8})),
            (52, shared("analytics")),
        ),
        JobRunStatus.RUNNING,
    ),
    Story(
        "warehouse-dedupe",
        "Warehouse deduplication",
        ["data-eng"],
        176,
        {
            "cluster": "prod-eu",
            "source": sql(
                "DELETE FROM raw.orders AS a\nUSING raw.orders AS b\n"
                "WHERE a.order_id = b.order_id AND a.loaded_at < b.loaded_at",
            ),
            "schedule": at("0 2 * * 0"),
            "after": {"orders-ingest": ON_COMPLETION},
        },
        steps=((100, paused("Ingest 2 brings no duplicates")),),
    ),
    Story(
        "search-terms-us",
        "Search terms, United States",
        ["data-eng"],
        131,
        {
            "cluster": "spot-us",
            "source": wheel("harbor-clicks", "harbor_clicks.terms:run", "0.10.0", "--region", "us"),
            "schedule": at("0 3 * * *", "America/New_York"),
            "after": {"clickstream-sessions": ON_SUCCESS},
        },
        "What visitors of the American shop look for and don't find.",
        ((6.4, drafted(cluster="prod-us")),),
    ),
    Story(
        "backfill-orders-2024",
        "Backfill of the orders of 2024",
        ["data-eng"],
        97,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-jobs/backfill/orders.py", "--year", "2024", "--month", "1"),
            "compute": SPREAD,
        },
        "By hand, a month at a time.",
        tuple(
            (
                97 - 4 * month,
                versioned(
                    f"Month {month}",
                    source=file("s3://harbor-jobs/backfill/orders.py", "--year", "2024", "--month", str(month)),
                ),
            )
            for month in range(2, 7)
        ),
    ),
)
