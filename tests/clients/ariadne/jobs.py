"""Page through my jobs, copy one, and meet a typed error, with the client that ariadne-codegen generates."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

from generated import CreateJobInput, Jobs, UpdateJobInput
from generated.page import PageMeJobsNodes
from generated.rename import RenameUpdateJobUserErrorsStaleRevisionError


async def pages(client: Jobs) -> AsyncIterator[PageMeJobsNodes]:
    after: str | None = None
    while True:
        jobs = (await client.page(first=10, after=after)).me.jobs
        for each in jobs.nodes:
            yield each
        if not jobs.pageInfo.hasNextPage:
            return
        after = jobs.pageInfo.endCursor


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with Jobs(url=os.environ["URL"], headers=headers) as client:
        jobs = [each async for each in pages(client)]
        job = next(each for each in jobs if each.currentVersion.source.typename__ == "SqlSnapshotSource")
        copy = CreateJobInput(
            jobKey="generated",
            name="Generated",
            teamIds=[each.id for each in job.teams.nodes],
            config=job.currentVersion.input,
            dryRun=True,
        )
        copied = (await client.copy(input=copy)).createJob
        late = UpdateJobInput(jobId=job.id, name="Late", expectedJobRevision=job.revision + 1)
        (error,) = (await client.rename(input=late)).updateJob.userErrors
    assert isinstance(error, RenameUpdateJobUserErrorsStaleRevisionError)
    assert copied.userErrors == []
    assert job.createdAt.tzinfo
    number = copied.job.currentVersion.number if copied.job else None
    found = {"keys": [each.jobKey for each in jobs], "copied": number, "late_by": error.expected - error.actual}
    sys.stdout.write(json.dumps(found))


asyncio.run(main())
