"""The demo jobs of the team `data-eng` that import and export data."""

from mainsheet.demo.life import (
    Story,
    described,
    drafted,
    edited,
    paused,
    published,
    resumed,
    rolled_back,
    versioned,
)
from mainsheet.demo.parts import SPREAD, at, file, secrets, variables, wheel
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

ON_SUCCESS, ON_COMPLETION = DependencyCondition.ON_SUCCESS, DependencyCondition.ON_COMPLETION

STORIES = (
    Story(
        "orders-ingest",
        "Orders ingest",
        ["data-eng"],
        268,
        {
            "cluster": "legacy-eu",
            "source": wheel("harbor-ingest", "harbor_ingest.orders:main", "1.4.0", "--since", "1h"),
            "schedule": at("5 * * * *"),
            "max_retries": 2,
            "retry_delay_seconds": 60,
        },
        "Copies new and changed orders from the shop's database into raw.orders.",
        (
            (241, versioned("Off the old cluster", cluster="prod-eu")),
            (
                180.2,
                drafted(source=wheel("harbor-ingest", "harbor_ingest.orders:main", "2.0.0", "--since", "30m")),
            ),
            (180.1, edited(schedule=at("*/30 * * * *"))),
            (179, published("Ingest 2: change data capture instead of polling")),
            (178, rolled_back(2, "2.0.0 loses orders that are changed twice within a minute")),
            (
                171,
                versioned(
                    "2.0.1 keeps both changes",
                    source=wheel("harbor-ingest", "harbor_ingest.orders:main", "2.0.1", "--since", "30m"),
                    schedule=at("*/30 * * * *", missed=MissedSchedulePolicy.RUN_ONCE),
                ),
            ),
            (64, versioned("Month-end peaks ran out of time", timeout_seconds=1500, compute=SPREAD)),
            (3.4, drafted(environment=variables(BATCH_ROWS="20000"))),
            (1.2, edited(max_retries=4)),
        ),
        JobRunStatus.RUNNING,
    ),
    Story(
        "customers-ingest",
        "Customers ingest",
        ["data-eng"],
        266,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-ingest", "harbor_ingest.customers:main", "1.4.0"),
            "schedule": at("15 * * * *"),
            "max_retries": 2,
        },
        "Copies customers and their addresses; names are hashed on the way in.",
        (
            (170, versioned("Ingest 2", source=wheel("harbor-ingest", "harbor_ingest.customers:main", "2.0.1"))),
            (90, versioned("Hash with the new salt", environment=secrets(SALT="ingest/customers/salt-2"))),
        ),
        JobRunStatus.READY,
    ),
    Story(
        "refunds-ingest",
        "Refunds ingest",
        ["data-eng"],
        262,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-ingest", "harbor_ingest.refunds:main", "1.4.0"),
            "schedule": at("25 */2 * * *"),
        },
        steps=((169, versioned("Ingest 2", source=wheel("harbor-ingest", "harbor_ingest.refunds:main", "2.0.1"))),),
    ),
    Story(
        "deliveries-from-carriers",
        "Deliveries from carriers",
        ["data-eng"],
        233,
        {
            "cluster": "prod-eu",
            "source": file("s3://harbor-jobs/carriers/fetch.py", "--carrier", "all"),
            "schedule": at("*/20 * * * *", policy=ConcurrencyPolicy.REPLACE),
            "environment": variables(CARRIERS="dhl,dpd,postnl"),
            "max_retries": 5,
            "retry_delay_seconds": 20,
            "timeout_seconds": 900,
        },
        "Asks each carrier where our parcels are.",
        (
            (140, versioned("PostNord too", environment=variables(CARRIERS="dhl,dpd,postnl,postnord"))),
            (75, described(description="Asks each of four carriers where our parcels are.")),
        ),
    ),
    Story(
        "currency-rates",
        "Currency rates",
        ["data-eng", "analytics", "platform"],
        214,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-jobs/rates/ecb.py"),
            "schedule": at("30 16 * * 1-5", "Europe/Berlin"),
            "max_retries": 6,
            "retry_delay_seconds": 600,
        },
        "The reference rates of the European Central Bank.",
        ((60, versioned("They publish later than they say", schedule=at("15 17 * * 1-5", "Europe/Berlin"))),),
    ),
    Story(
        "supplier-price-lists",
        "Supplier price lists",
        ["data-eng"],
        190,
        {
            "cluster": "adhoc-eu",
            "source": file("s3://harbor-jobs/suppliers/price_lists.py", "--format", "xlsx"),
            "schedule": at("0 6 * * 1", "Europe/Madrid"),
        },
        "Reads the spreadsheets that suppliers send by mail.",
        ((34, paused("Two suppliers changed their columns; see the ticket before you switch it on again")),),
    ),
    Story(
        "product-catalogue-sync",
        "Product catalogue sync",
        ["data-eng", "platform"],
        70,
        {
            "cluster": "prod-eu",
            "source": wheel("harbor-catalogue", "harbor_catalogue.sync:main", None, "--full"),
            "schedule": at("0 1 * * *", "Asia/Tokyo"),
            "environment": variables(TARGET="search", LOCALES="de,fr,ja") + secrets(API_KEY="ingest/search/api-key"),
        },
        "Sends the catalogue to the search engine.",
        (
            (41.2, drafted(source=wheel("harbor-catalogue", "harbor_catalogue.sync:main", "3.1.0"))),
            (40, published("Only what changed")),
            (39, rolled_back(1, "Withdrawn products stayed findable")),
        ),
    ),
    Story(
        "apac-orders-ingest",
        "Orders ingest, Asia-Pacific",
        ["data-eng"],
        18,
        {
            "cluster": "prod-us",
            "source": wheel("harbor-ingest", "harbor_ingest.orders:main", "2.0.1", "--shop", "au"),
            "schedule": at("40 * * * *", "Australia/Sydney"),
        },
        "Runs in America until the cluster in Sydney is there.",
        (
            (12, paused("No orders yet")),
            (8, resumed()),
            (4, drafted(cluster="prod-apac")),
        ),
        JobRunStatus.PENDING,
    ),
)
