"""The demo jobs of the team `analytics`."""

from mainsheet.demo.life import (
    Story,
    described,
    drafted,
    edited,
    paused,
    published,
    rolled_back,
    shared,
    unshared,
    versioned,
)
from mainsheet.demo.parts import at, file, queries, sql, variables, wheel
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

ON_SUCCESS = DependencyCondition.ON_SUCCESS

STORIES = (
    Story(
        "net-revenue-report",
        "Net revenue report",
        ["analytics"],
        247,
        {
            "cluster": "prod-eu",
            "source": queries("Net revenue by country"),
            "schedule": at("0 7 * * 1-5", "Europe/Berlin"),
            "after": {"daily-sales-etl": ON_SUCCESS},
        },
        "The table that finance opens first.",
        (
            (200, versioned("Also on Saturdays", schedule=at("0 7 * * 1-6", "Europe/Berlin"))),
            (130, described(name="Net revenue by country")),
            (55, versioned("Finance wants it before seven", schedule=at("45 6 * * 1-6", "Europe/Berlin"))),
        ),
    ),
    Story(
        "customer-lifetime-value",
        "Customer lifetime value",
        ["analytics"],
        236,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-models", "harbor_models.clv:train", "0.3.0", "--horizon", "12"),
            "schedule": at("0 3 1 * *"),
            "max_retries": 1,
            "timeout_seconds": 14400,
        },
        "Trains the model and scores everybody once a month.",
        (
            (165.3, drafted(source=wheel("harbor-models", "harbor_models.clv:train", "0.4.0", "--horizon", "24"))),
            (165.1, edited(timeout_seconds=21600)),
            (164, published("Two years ahead")),
            (158, rolled_back(1, "The second year was noise")),
            (
                92,
                versioned(
                    "0.5 with seasons",
                    source=wheel("harbor-models", "harbor_models.clv:train", "0.5.0", "--horizon", "12"),
                ),
            ),
        ),
    ),
    Story(
        "churn-watch",
        "Churn watch",
        ["analytics"],
        218,
        {
            "cluster": "prod-eu",
            "source": queries("Active customers"),
            "schedule": at("20 5 * * *", "Europe/Paris"),
            "after": {"customers-ingest": ON_SUCCESS, "daily-sales-etl": ON_SUCCESS},
        },
        "Who hasn't ordered for ninety days.",
        ((5.3, drafted(source=queries("Active customers", "Orders of the day"))),),
    ),
    Story(
        "low-stock-alert",
        "Low stock alert",
        ["analytics", "data-eng"],
        205,
        {
            "cluster": "prod-eu",
            "source": queries("Stock below minimum"),
            "schedule": at("0 8,14 * * 1-5", "Europe/Lisbon"),
            "after": {"stock-snapshot": ON_SUCCESS},
            "environment": variables(CHANNEL="#warehouse"),
        },
        "Tells the warehouses what to order again.",
        (
            (
                85,
                versioned(
                    "Every channel hears it", environment=variables(CHANNEL="#warehouse", MAIL="buyers@harbor.example")
                ),
            ),
        ),
    ),
    Story(
        "late-deliveries",
        "Late deliveries",
        ["analytics"],
        193,
        {
            "cluster": "prod-eu",
            "source": queries("Late deliveries"),
            "schedule": at("30 9 * * *", "Europe/Amsterdam"),
            "after": {"deliveries-from-carriers": DependencyCondition.ON_COMPLETION},
        },
        "How late each carrier is.",
    ),
    Story(
        "marketing-attribution",
        "Marketing attribution",
        ["analytics"],
        174,
        {
            "cluster": "prod-us",
            "source": wheel("harbor-models", "harbor_models.attribution:run", "0.4.0"),
            "schedule": at("0 6 * * *", "America/Los_Angeles"),
            "after": {"clickstream-sessions": ON_SUCCESS},
            "timeout_seconds": 3600,
        },
        "Which campaign gets how much of an order.",
        (
            (112, versioned("Last click counts half", environment=variables(LAST_CLICK="0.5"))),
            (80, versioned("Last click counts a third", environment=variables(LAST_CLICK="0.33"))),
            (44, shared("data-eng")),
            (30, unshared("data-eng")),
            (26, versioned("0.5.1", source=wheel("harbor-models", "harbor_models.attribution:run", "0.5.1"))),
        ),
        JobRunStatus.RUNNING,
    ),
    Story(
        "board-figures",
        "Figures for the board",
        ["analytics"],
        159,
        {
            "cluster": "prod-eu",
            "source": sql(
                "SELECT date_trunc('quarter', day) AS quarter, sum(revenue) AS revenue\n"
                "FROM reports.net_revenue\nGROUP BY quarter\nORDER BY quarter DESC\nLIMIT 8"
            ),
            "schedule": at("0 9 1 1,4,7,10 *", "Europe/Berlin", missed=MissedSchedulePolicy.RUN_ONCE),
            "after": {"net-revenue-report": ON_SUCCESS},
        },
        "Once a quarter, and by hand before a meeting.",
    ),
    Story(
        "newsletter-segments",
        "Newsletter segments",
        ["analytics"],
        137,
        {
            "cluster": "adhoc-eu",
            "source": queries("Active customers", "Orders of the day"),
            "schedule": at("0 10 * * 2", "Europe/London"),
        },
        steps=((20, paused("The newsletter moves to another provider")),),
    ),
    Story(
        "price-elasticity",
        "Price elasticity",
        ["analytics"],
        104,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-notebooks/elasticity/main.py", "--category", "garden"),
            "max_retries": 0,
        },
        "An experiment, run by hand.",
        (
            (
                95,
                versioned(
                    "Kitchen as well",
                    source=file("s3://harbor-notebooks/elasticity/main.py", "--category", "garden,kitchen"),
                ),
            ),
            (7.2, drafted(cluster="gpu-eu", environment=variables(SAMPLES="4000"))),
        ),
    ),
    Story(
        "forecast-demand",
        "Demand forecast",
        ["analytics", "data-eng"],
        83,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-models", "harbor_models.demand:forecast", "0.5.0", "--weeks", "6"),
            "schedule": at("0 5 * * 1", "Europe/Berlin", ConcurrencyPolicy.REPLACE),
            "after": {"stock-snapshot": ON_SUCCESS, "daily-sales-etl": ON_SUCCESS},
            "environment": variables(HOLIDAYS="de,fr,nl"),
        },
        "What each warehouse will send in the next weeks.",
        (
            (
                50,
                versioned(
                    "Eight weeks",
                    source=wheel("harbor-models", "harbor_models.demand:forecast", "0.5.0", "--weeks", "8"),
                ),
            ),
            (22, versioned("Spanish holidays", environment=variables(HOLIDAYS="de,es,fr,nl"))),
        ),
    ),
    Story(
        "returns-by-reason",
        "Returns by reason",
        ["analytics"],
        49,
        {
            "cluster": "prod-eu",
            "source": sql(
                "SELECT reason, count(*) AS returns, sum(amount) AS amount\n"
                "FROM marts.refunds\nWHERE refunded_at > current_date - 30\nGROUP BY reason",
                "git:reports/returns.sql@91c0d3f",
            ),
            "schedule": at("0 6 * * *", "America/Sao_Paulo"),
        },
    ),
    Story(
        "checkout-experiment",
        "Checkout experiment",
        ["analytics", "platform"],
        15,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-notebooks/checkout/ab.py", "--variant", "b"),
            "schedule": at("*/15 * * * *", policy=ConcurrencyPolicy.ALLOW, most=2),
        },
        "Compares the short checkout with the long one.",
        ((9, versioned("Less often", schedule=at("0 * * * *"))),),
        JobRunStatus.READY,
    ),
)
