"""The demo jobs of the team `platform`."""

from mainsheet.demo.life import (
    Story,
    described,
    drafted,
    paused,
    published,
    resumed,
    rolled_back,
    shared,
    versioned,
)
from mainsheet.demo.parts import at, file, queries, sql, variables, wheel
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

STORIES = (
    Story(
        "cluster-costs",
        "Cluster costs",
        ["platform"],
        252,
        {
            "cluster": "adhoc-eu",
            "source": queries("Cluster hours by team"),
            "schedule": at("0 5 * * *"),
        },
        "Hours and money by team and cluster.",
        (
            (210, versioned("In dollars and euros", environment=variables(CURRENCIES="USD,EUR"))),
            (101, shared("analytics")),
            (58, versioned("Tries again when the price list is late", max_retries=3, retry_delay_seconds=900)),
        ),
    ),
    Story(
        "log-compaction",
        "Log compaction",
        ["platform"],
        228,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-ops", "harbor_ops.logs:compact", "1.0.3", "--older-than", "2d"),
            "schedule": at("0 */6 * * *", policy=ConcurrencyPolicy.SKIP),
            "timeout_seconds": 3600,
        },
        "Many small files become few large ones.",
        (
            (
                117,
                versioned("1.1", source=wheel("harbor-ops", "harbor_ops.logs:compact", "1.1.0", "--older-than", "2d")),
            ),
        ),
    ),
    Story(
        "backup-check",
        "Backup check",
        ["platform"],
        216,
        {
            "cluster": "prod-eu",
            "source": file("s3://harbor-jobs/ops/restore_latest.py", "--into", "scratch"),
            "schedule": at("0 3 * * 6", "Europe/Berlin"),
            "timeout_seconds": 10800,
        },
        "Restores the latest backup and counts what is in it.",
        ((145, described(name="Backup restore check")),),
    ),
    Story(
        "vacuum-warehouse",
        "Vacuum of the warehouse",
        ["platform", "data-eng"],
        199,
        {
            "cluster": "prod-eu",
            "source": sql("VACUUM ANALYZE marts.orders;\nVACUUM ANALYZE marts.deliveries;"),
            "schedule": at("0 1 * * 0", "Europe/Berlin"),
        },
        steps=(
            (
                66,
                versioned(
                    "Stock grew as well",
                    source=sql(
                        "VACUUM ANALYZE marts.orders;\nVACUUM ANALYZE marts.deliveries;\nVACUUM ANALYZE marts.stock;"
                    ),
                ),
            ),
        ),
    ),
    Story(
        "access-audit",
        "Access audit",
        ["platform"],
        184,
        {
            "cluster": "adhoc-eu",
            "source": sql("SELECT member, team, granted_at FROM ops.grants WHERE last_used_at < current_date - 60"),
            "schedule": at("0 8 1 * *", "Europe/Dublin", missed=MissedSchedulePolicy.RUN_ONCE),
        },
        "Rights that nobody has used for two months.",
    ),
    Story(
        "metrics-rollup",
        "Metrics roll-up",
        ["platform"],
        166,
        {
            "cluster": "prod-us",
            "source": wheel("harbor-ops", "harbor_ops.metrics:rollup", "1.0.3", "--step", "1m"),
            "schedule": at("*/5 * * * *", policy=ConcurrencyPolicy.REPLACE),
            "timeout_seconds": 240,
        },
        "Seconds become minutes, minutes become hours.",
        (
            (133, versioned("1.1", source=wheel("harbor-ops", "harbor_ops.metrics:rollup", "1.1.0", "--step", "1m"))),
            (93.1, drafted(source=wheel("harbor-ops", "harbor_ops.metrics:rollup", "1.2.0", "--step", "10s"))),
            (93, published("Finer steps")),
            (92, rolled_back(2, "Ten-second steps fill the disk in a week")),
            (3.1, drafted(source=wheel("harbor-ops", "harbor_ops.metrics:rollup", "1.2.0", "--step", "30s"))),
        ),
        JobRunStatus.RUNNING,
    ),
    Story(
        "certificate-expiry",
        "Certificate expiry",
        ["platform"],
        148,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-jobs/ops/certificates.py", "--warn-days", "21"),
            "schedule": at("0 9 * * 1-5", "Europe/Stockholm"),
        },
        "Warns three weeks ahead.",
        (
            (73, paused("Moves to the new certificate authority")),
            (67, resumed("Moved")),
        ),
    ),
    Story(
        "late-data-alarm",
        "Late data alarm",
        ["platform", "data-eng", "analytics"],
        122,
        {
            "cluster": "prod-eu",
            "source": file("s3://harbor-jobs/ops/late_data.py"),
            "after": {
                "daily-sales-etl": DependencyCondition.ON_FAILURE,
                "stock-snapshot": DependencyCondition.ON_FAILURE,
            },
            "environment": variables(CHANNEL="#data-incidents"),
        },
        "Tells everybody when the morning's figures won't be there.",
        (
            (
                57,
                versioned(
                    "Revenue as well",
                    after={
                        "daily-sales-etl": DependencyCondition.ON_FAILURE,
                        "stock-snapshot": DependencyCondition.ON_FAILURE,
                        "net-revenue-report": DependencyCondition.ON_FAILURE,
                    },
                ),
            ),
        ),
    ),
    Story(
        "spot-price-history",
        "Spot price history",
        ["platform"],
        106,
        {
            "cluster": "spot-us",
            "source": wheel("harbor-ops", "harbor_ops.spot:fetch", "1.1.0", "--region", "us-west-2"),
            "schedule": at("0 * * * *", "America/Los_Angeles"),
        },
        "What machines cost by the hour.",
        ((13, paused("The cluster doesn't come up")),),
    ),
    Story(
        "erase-on-request",
        "Erasure on request",
        ["platform", "data-eng"],
        38,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-privacy", "harbor_privacy.erase:main", "0.2.0", "--dry-run"),
            "schedule": at("0 22 * * *", "Europe/Berlin"),
        },
        "Removes what belongs to customers who asked for it.",
        ((31, versioned("For real", source=wheel("harbor-privacy", "harbor_privacy.erase:main", "0.2.0"))),),
        JobRunStatus.PENDING,
    ),
)
