"""The demo jobs of the organization `lagoon`."""

from mainsheet.demo.life import Story, drafted, paused, rolled_back, versioned
from mainsheet.demo.parts import at, file, queries, sql, variables, wheel
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRunStatus

STORIES = (
    Story(
        "tide-readings",
        "Tide readings",
        ["operations"],
        201,
        {"cluster": "shore", "source": queries("Tide readings"), "schedule": at("*/10 * * * *")},
        "From the gauges into the archive.",
        ((90, versioned("The gauges send every five minutes", schedule=at("*/5 * * * *"))),),
        JobRunStatus.RUNNING,
    ),
    Story(
        "daily-sales-etl",
        "Ticket sales",
        ["operations"],
        188,
        {
            "cluster": "shore",
            "source": sql("SELECT sold_on, pier, count(*) AS tickets FROM shop.tickets GROUP BY sold_on, pier"),
            "schedule": at("0 22 * * *", "Europe/Oslo"),
        },
        "Boat tickets by pier. Another organization has a job with the same key.",
    ),
    Story(
        "turbidity-map",
        "Turbidity map",
        ["science"],
        142,
        {
            "cluster": "shore",
            "source": queries("Turbidity by station"),
            "schedule": at("0 6 * * *", "Europe/Oslo"),
            "after": {"tide-readings": DependencyCondition.ON_SUCCESS},
        },
        steps=((11, drafted(cluster="reef")),),
    ),
    Story(
        "flood-forecast",
        "Flood forecast",
        ["science", "operations"],
        96,
        {
            "cluster": "shore",
            "source": wheel("tidal", "tidal.forecast:run", "2.3.0", "--hours", "72"),
            "schedule": at("0 */3 * * *", "Europe/Oslo"),
            "after": {"tide-readings": DependencyCondition.ON_COMPLETION},
            "max_retries": 3,
            "retry_delay_seconds": 30,
        },
        "Water levels of the next three days.",
        (
            (40, versioned("2.4", source=wheel("tidal", "tidal.forecast:run", "2.4.0", "--hours", "72"))),
            (37, rolled_back(1, "2.4.0 forgets the wind")),
        ),
    ),
    Story(
        "seagrass-survey",
        "Seagrass survey",
        ["science"],
        62,
        {
            "cluster": "shore",
            "source": file("s3://lagoon-science/seagrass/classify.py", "--tiles", "all"),
            "environment": variables(MODEL="2025-spring"),
        },
        "Finds seagrass in aerial pictures; by hand after each flight.",
    ),
    Story(
        "sensor-battery-check",
        "Sensor battery check",
        ["operations"],
        29,
        {
            "cluster": "shore",
            "source": file("s3://lagoon-operations/batteries.py"),
            "schedule": at("0 7 * * 1", "Europe/Oslo"),
        },
        steps=((3, paused("New batteries everywhere")),),
    ),
)
