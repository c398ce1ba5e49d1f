"""A job as JSON that can be applied to any server."""

from typing import Any, NewType

import strawberry

from mainsheet.resolvers.job_document import JobDocument as Document
from mainsheet.schema import job_config


def document(whole: Document) -> dict[str, Any]:
    """Return the job by the names of `JobDocumentInput`."""
    job = whole.job
    return {
        "jobKey": job.job_key,
        "name": job.name,
        "description": job.description,
        "tags": list(whole.tags),
        "status": str(job.status),
        "teams": list(whole.teams),
        "config": _config(whole),
    }


def _config(whole: Document) -> dict[str, Any]:
    config, names = job_config.document(whole.config), whole.names
    source = config.pop("source")
    if queries := source.get("savedQueries"):
        source = {"savedQueries": [names[each] for each in queries["queryIds"]]}
    dependencies = [
        {"jobKey": names[each.pop("jobId")], **each} for each in config["dependencies"] if each["jobId"] in names
    ]
    return {"cluster": names[config.pop("clusterId")], "source": source, **config, "dependencies": dependencies}


JobDocument = NewType("JobDocument", Document)
JOB_DOCUMENT = strawberry.scalar(
    name="JobDocument",
    serialize=document,
    description="A job as JSON that is a valid `JobDocumentInput`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
)
