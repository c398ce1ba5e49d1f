from typing import Any

from sqlalchemy import select

from mainsheet.models.cluster import Cluster
from mainsheet.models.errors import ClusterNotFound
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.provisioning_errors import ClusterInUse
from mainsheet.models.roles import AccessScope, OrganizationPermission
from mainsheet.resolvers.commands.provisioning import check_unique, check_unused
from mainsheet.resolvers.sql.array_param import among_these
from mainsheet.resolvers.write import ClusterAnswer, DeletedClusterAnswer, Write, command


@command("createCluster", AccessScope.ADMIN)
async def create(write: Write, *, message: str | None = None, **values: Any) -> ClusterAnswer:
    await write.organization(OrganizationPermission.MANAGE_CLUSTERS)
    await check_unique(write, Cluster, values)
    cluster = Cluster(id=new_id(Cluster.PREFIX, write.at), organization_id=write.caller.organization_id, revision=1)
    cluster.begin(EventAction.CLUSTER_CREATED, values, write, message)
    write.session.add(cluster)
    return {"cluster_id": cluster.id}


@command("updateCluster", AccessScope.ADMIN)
async def update(
    write: Write, *, cluster_id: str, expected_revision: int | None = None, message: str | None = None, **values: Any
) -> ClusterAnswer:
    await write.organization(OrganizationPermission.MANAGE_CLUSTERS)
    cluster = await _cluster(write, cluster_id)
    await check_unique(write, Cluster, values, cluster_id)
    cluster.change(EventAction.CLUSTER_UPDATED, values, write, expected_revision=expected_revision, message=message)
    return {"cluster_id": cluster.id}


@command("deleteCluster", AccessScope.ADMIN)
async def delete(
    write: Write, *, cluster_id: str, expected_revision: int | None = None, message: str | None = None
) -> DeletedClusterAnswer:
    await write.organization(OrganizationPermission.MANAGE_CLUSTERS)
    cluster = await _cluster(write, cluster_id)
    used = among_these(Job.id, select(JobVersion.job_id).where(JobVersion.cluster_id == cluster_id))
    await check_unused(write, cluster, ClusterInUse, used, "Set its status to DESTROYED instead.")
    cluster.end(EventAction.CLUSTER_DELETED, write, expected_revision, message)
    await write.session.delete(cluster)
    return {"deleted_cluster_id": cluster_id}


async def _cluster(write: Write, cluster_id: str) -> Cluster:
    return await write.own(Cluster, cluster_id, ClusterNotFound(path=("cluster_id",), missing_id=cluster_id))
