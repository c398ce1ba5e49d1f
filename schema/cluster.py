import strawberry

from mainsheet.models.cluster import Cluster as ClusterRow
from mainsheet.models.cluster import ClusterStatus
from mainsheet.resolvers.job_list import lists
from mainsheet.schema import names
from mainsheet.schema.job_list import job_list
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection
from mainsheet.schema.relation import relation


@strawberry.type(description="Where jobs execute.")
class Cluster(Node, prefix=ClusterRow.PREFIX):
    name: str = strawberry.field(description="Its name.")
    region: str = strawberry.field(description="Where it stands.")
    status: ClusterStatus = strawberry.field(description="Where it is in its life.")
    jobs = relation(
        lists.of_clusters,
        names.JobConnection,
        "The jobs that you may see and whose current version runs on it.",
        arguments=job_list,
    )


@strawberry.type(description="One page of a list of clusters.")
class ClusterConnection(Connection[Cluster]): ...
