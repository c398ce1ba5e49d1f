"""The teams, clusters and saved queries of the demo."""

from mainsheet.models.cluster_status import ClusterStatus

HARBOR_TEAMS = {
    "data-eng": "Brings data in and keeps the warehouse in order.",
    "analytics": "Figures for finance, growth and the board.",
    "platform": "Clusters, costs and housekeeping.",
}
LAGOON_TEAMS = {"science": "Tide and water quality models.", "operations": None}

# name → region, status
HARBOR_CLUSTERS = {
    "prod-eu": ("eu-central-1", ClusterStatus.ACTIVE),
    "prod-us": ("us-east-1", ClusterStatus.ACTIVE),
    "adhoc-eu": ("eu-west-1", ClusterStatus.ACTIVE),
    "prod-apac": ("ap-southeast-2", ClusterStatus.PROVISIONING),
    "gpu-eu": ("eu-central-1", ClusterStatus.PENDING),
    "spot-us": ("us-west-2", ClusterStatus.FAILED),
    "legacy-eu": ("eu-west-1", ClusterStatus.DESTROYED),
}
LAGOON_CLUSTERS = {
    "shore": ("eu-north-1", ClusterStatus.ACTIVE),
    "reef": ("eu-north-1", ClusterStatus.PROVISIONING),
}

# Jobs may still refer to a cluster that was active when they were created.
NEVER_RAN = {ClusterStatus.PENDING, ClusterStatus.PROVISIONING}

HARBOR_QUERIES = {
    "Orders of the day": """\
SELECT o.order_id, o.customer_id, o.placed_at, sum(l.quantity * l.unit_price) AS amount
FROM raw.orders AS o
JOIN raw.order_lines AS l USING (order_id)
WHERE o.placed_at >= :day AND o.placed_at < :day + INTERVAL '1 day'
GROUP BY o.order_id, o.customer_id, o.placed_at""",
    "Refunds of the day": """\
SELECT refund_id, order_id, amount, reason
FROM raw.refunds
WHERE refunded_at >= :day AND refunded_at < :day + INTERVAL '1 day'""",
    "Net revenue by country": """\
SELECT c.country, date_trunc('day', o.placed_at) AS day, sum(o.amount) - coalesce(sum(r.amount), 0) AS revenue
FROM marts.orders AS o
JOIN marts.customers AS c USING (customer_id)
LEFT JOIN marts.refunds AS r USING (order_id)
GROUP BY c.country, day""",
    "Active customers": """\
SELECT customer_id, max(placed_at) AS last_order
FROM marts.orders
GROUP BY customer_id
HAVING max(placed_at) > current_date - 90""",
    "Stock below minimum": """\
SELECT sku, warehouse, on_hand, minimum
FROM marts.stock
WHERE on_hand < minimum
ORDER BY minimum - on_hand DESC""",
    "Late deliveries": """\
SELECT carrier, count(*) AS late, avg(delivered_at - promised_at) AS delay
FROM marts.deliveries
WHERE delivered_at > promised_at
GROUP BY carrier""",
    "Cluster hours by team": """\
SELECT team, cluster, sum(extract(epoch FROM finished_at - started_at)) / 3600 AS hours
FROM ops.runs
GROUP BY team, cluster""",
}
LAGOON_QUERIES = {
    "Tide readings": "SELECT station, read_at, level_cm FROM sensors.tide WHERE read_at >= :since",
    "Turbidity by station": "SELECT station, avg(ntu) AS ntu FROM sensors.turbidity GROUP BY station",
}
