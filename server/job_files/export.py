"""Reads jobs from a server as documents, without what has its default."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from mainsheet.server.job_files.document import Document, brief
from mainsheet.server.job_files.remote import Remote

PAGE = 20
ORGANIZATION = "query ReadOrganization { organization { name } }"
JOBS = """
query ExportJobs($first: Int!, $after: String) {
  jobs(first: $first, after: $after, sortBy: JOB_KEY) {
    pageInfo { hasNextPage endCursor }
    nodes { document currentVersion { dependencies { jobKey isDeleted } } }
  }
}
"""


class Exported(NamedTuple):
    """A job's document, and the numbers of dependencies on hidden and deleted jobs that it leaves out."""

    document: Document
    hidden: int
    deleted: int


async def jobs(remote: Remote) -> AsyncIterator[Exported]:
    """Yield all jobs that the token sees, by key."""
    after = None
    while True:
        page = (await remote.send(JOBS, first=PAGE, after=after))["jobs"]
        for job in page["nodes"]:
            yield exported(job)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def exported(job: Mapping[str, Any]) -> Exported:
    dependencies = job["currentVersion"]["dependencies"]
    deleted = sum(each["isDeleted"] for each in dependencies)
    hidden = sum(each["jobKey"] is None and not each["isDeleted"] for each in dependencies)
    return Exported(brief(job["document"]), hidden, deleted)
