"""The message about an event: CloudEvents' JSON form, with the headers of Standard Webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

import orjson
from aiohttp import hdrs
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models.event import Event
from mainsheet.models.webhook import SECRET_PREFIX
from mainsheet.resolvers.config_change import ConfigChange, ConfigValue
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.schema.config_change import in_graphql

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
USER_AGENT = f"Mainsheet/{version('mainsheet')}"


def body_of(event: Event, changes: Sequence[ConfigChange]) -> bytes:
    """Return the body. `data` has the fields of the GraphQL type `Event`, with ids in place of objects."""
    message = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/organizations/{event.organization_id}",
        "type": f"mainsheet.{event.action}",
        "subject": event.subject_id,
        "time": event.occurred_at.isoformat(),
        "datacontenttype": "application/json",
        "sequence": event.position,
        "cursor": cursor.encode(Event.position, event.position, event.id),
        "data": _data(event, changes),
    }
    return orjson.dumps(message)


def _data(event: Event, changes: Sequence[ConfigChange]) -> Mapping[str, Any]:
    return {
        "action": event.action,
        "actorId": event.actor_id,
        "subjectId": event.subject_id,
        "subjectLabel": event.subject_label,
        "jobId": event.job_id,
        "fromVersionNumber": event.from_version_number,
        "toVersionNumber": event.to_version_number,
        "message": event.message,
        "changes": [_change(each) for each in changes],
    }


def _change(change: ConfigChange) -> Mapping[str, Any]:
    return {
        "path": in_graphql(change.path),
        "label": change.label,
        "kind": change.kind,
        "before": _value(change.before),
        "after": _value(change.after),
    }


def _value(value: ConfigValue | None) -> Mapping[str, Any] | None:
    return None if value is None else {to_camel_case(name): each for name, each in asdict(value).items()}


def headers_of(event_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """Return the headers of an attempt at this time, with a signature by each secret."""
    timestamp = str(int(at.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        hdrs.CONTENT_TYPE: CONTENT_TYPE,
        hdrs.USER_AGENT: USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(each, signed) for each in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
