"""Uses a new demo, so that a stored database has rows in every table."""

from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.trusted_documents.catalogue import Client, add
from mainsheet.server.trusted_documents.manifest import Document
from testbed.ask import Ask
from tests.api.test_run_commands import change

ADMIN = "admin@harbor.example"
IDS = "{ clusters(first: 1, statuses: [ACTIVE]) { nodes { id } } teams(first: 1) { nodes { id } } }"
DOCUMENT = Document("jobs", "query Jobs { jobs { nodes { id } } }", "Jobs")


async def use(database: Database) -> None:
    """Change the demo as an administrator, and add a trusted document."""
    async with AsyncSession(database.reads) as session:
        admin = (await session.scalars(select(Member).where(Member.email == ADMIN))).one()
    ask = Ask(database)
    ids = await ask(admin, IDS)
    cluster, team = ids["clusters"]["nodes"][0]["id"], ids["teams"]["nodes"][0]["id"]
    do = partial(change, ask, admin)

    async def job(key: str, source: Any, *needs: str) -> str:
        config = {"clusterId": cluster, "source": source, "dependencies": [{"jobId": each} for each in needs]}
        made = await do("createJob", "job { id }", jobKey=key, name=key, teamIds=[team], config=config)
        return str(made["job"]["id"])

    await do("createAccessToken", "token { id }", name="release", idempotencyKey="release")
    webhook = (await do("createWebhook", "webhook { id }", url="https://hooks.example/"))["webhook"]["id"]
    await do("testWebhook", "deliveries { id }", webhookId=webhook)
    deleted = await job("deleted", {"sqlSnapshot": {"sql": "SELECT 1"}})
    made = await do("createSavedQuery", "savedQuery { id }", teamId=team, name="executed", sql="SELECT 2")
    executed = await job("executed", {"savedQueries": {"queryIds": [made["savedQuery"]["id"]]}}, deleted)
    await do("deleteJob", "deletedJobId", jobId=deleted, force=True)
    await do("triggerRun", "run { id }", jobId=executed)
    await do("claimRuns", "runs { attempt }", clusterIds=[cluster], limit=100, leaseSeconds=3600)
    await add(database, [DOCUMENT], Client("web", "1"))
