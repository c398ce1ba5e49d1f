"""Classifies a response for the client."""

from collections.abc import Mapping
from typing import Any

from mainsheet.models.event import EventAction
from tests.chaos.ledger import Result

KEPT = "What was changed before it is kept"  # done, but its result couldn't be read
UNSURE = "it isn't known whether the change was made"


def result_of(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> tuple[Result, dict[str, Any]]:
    """Classify a response. Returns its data too, or an unexpected response as `surprise`."""
    errors = body.get("errors", ())
    if status == 200 and all(KEPT in each["message"] for each in errors):
        return Result.DONE, body["data"]
    if status == 503:
        return (Result.UNAVAILABLE if int(headers.get("Retry-After", 0)) > 0 else Result.UNHINTED), {}
    if status in {500, 502} and any(UNSURE in each["message"] for each in errors):
        return Result.UNSURE, {}
    return Result.SURPRISED, {"surprise": f"{status} {body}"}


def is_torn(job: dict[str, Any]) -> bool:
    """Return whether a job contradicts its last event, although both were read in the same snapshot."""
    last = job["events"]["nodes"][0]
    draft = job["draft"] and job["draft"]["number"]
    match last["action"]:
        case EventAction.DRAFT_CREATED | EventAction.DRAFT_UPDATED:
            return bool(draft != last["toVersionNumber"])
        case EventAction.DRAFT_PUBLISHED | EventAction.VERSION_CREATED | EventAction.VERSION_ACTIVATED:
            return bool(draft or job["currentVersion"]["number"] != last["toVersionNumber"])
        case EventAction.DRAFT_DISCARDED:
            return bool(draft)
    return False
