import strawberry

from mainsheet.models.cluster import Cluster as ClusterRow
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.resolvers import job_list, job_run
from mainsheet.schema import names
from mainsheet.schema.actor import EXTERNAL_ID, MANAGED_BY, REVISION
from mainsheet.schema.connection import Connection
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.job_run import run_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import relation


@strawberry.type(description="A cluster that executes jobs.")
class Cluster(Node, prefix=ClusterRow.PREFIX):
    name: str = strawberry.field(description="The name, unique within the organization.")
    region: str | None = strawberry.field(
        description="The cloud region, such as `eu-central-1`. Null if the cluster has none."
    )
    status: ClusterStatus = strawberry.field(description="The status of the cluster.")
    job_count = relation(job_list.counts_of_clusters, int, "The number of jobs in the list `jobs` without a filter.")
    revision: int = strawberry.field(description=REVISION)
    external_id: str | None = strawberry.field(description=EXTERNAL_ID)
    managed_by: str | None = strawberry.field(description=MANAGED_BY)
    jobs = relation(
        job_list.of_clusters,
        names.JobConnection,
        "The jobs that you can see and whose current version runs on the cluster.",
        arguments=job_list_arguments,
    )
    runs = relation(
        job_run.of_clusters,
        names.JobRunConnection,
        "The runs on the cluster of jobs that you can see, newest first.",
        arguments=run_list_arguments,
    )


@strawberry.type(description="A page of a list of clusters.")
class ClusterConnection(Connection[Cluster]): ...
