import base64
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any, Self

from sqlalchemy import ColumnElement, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column
from yarl import URL

from mainsheet.models import limits
from mainsheet.models.base import Base, Id, Json, Note, sorted_text, tenant, tenant_key
from mainsheet.models.config_diff import Change, change_of
from mainsheet.models.edit import Edit
from mainsheet.models.errors import Invalid, UserError
from mainsheet.models.event import START, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.managed import Revised
from mainsheet.models.webhook_errors import UrlNotAllowed

SECRET_PREFIX = "whsec_"  # noqa: S105 of Standard Webhooks
SECRET_BYTES = 32
MAX_SECRETS = 5  # that are valid at once; each signs every message
OFF_AFTER = timedelta(days=5)
NUMERIC = re.compile(r"[0-9.]+|0x.*", re.IGNORECASE)
IDS = ("job_ids", "subject_ids", "actor_ids", "team_ids")


class Webhook(Revised, Base):
    """An address to which the events of an organization are sent.

    `read_position` and `read_id` are those of the last event of the feed for which there is a delivery if the filter
    matches it. `failing_since` is the time of the first failed attempt after the last successful one. While the webhook
    is disabled it stays: what failed since then is sent again when the webhook is enabled.
    """

    __tablename__ = "webhook"
    PREFIX = "WH"
    NOUN = "webhook"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    url: Mapped[str] = mapped_column(String(1023))
    description: Mapped[Note | None]
    filter: Mapped[dict[str, Any] | None] = mapped_column(Json)
    is_enabled: Mapped[bool]
    disabled_reason: Mapped[Note | None]
    failing_since: Mapped[datetime | None]
    read_position: Mapped[str] = mapped_column(sorted_text(len(START)))
    read_id: Mapped[Id]
    created_at: Mapped[datetime]
    created_by_id: Mapped[Id]

    __table_args__ = (
        tenant_key(),
        tenant("created_by_id", "actor"),
        Index("ix_webhook_organization", "organization_id", "id"),
    )

    @property
    def label(self) -> str:
        return _public(self.url)[:255]

    @property
    def only_for_id(self) -> str:
        return str(self.organization_id)  # administrators and auditors see the events

    def record(self, action: EventAction, edit: Edit, message: str | None, changes: Sequence[Change] = ()) -> None:
        super().record(action, edit, message, [_public_change(each) for each in changes])

    def begin(self, action: EventAction, values: Mapping[str, Any], edit: Edit, message: str | None) -> None:
        edit.problems += webhook_problems(values)
        super().begin(action, values, edit, message)
        self.created_at, self.created_by_id = edit.at, edit.actor_id

    def change(self, action: EventAction, values: Mapping[str, Any], edit: Edit, **expected: Any) -> None:
        edit.problems += webhook_problems(values)
        was_enabled = self.is_enabled
        super().change(action, values, edit, **expected)
        if self.is_enabled and not was_enabled:
            self.failing_since = self.disabled_reason = None

    def succeed(self) -> None:
        """Note a successful attempt. A disabled webhook keeps the time from which on it is sent what failed."""
        if self.is_enabled:
            self.failing_since = None

    def fail(self, edit: Edit, error: str, *, is_given_up: bool, is_gone: bool) -> None:
        """Note a failed attempt. Disable the webhook if its address is gone, or has failed for five days.

        A delivery that is given up has failed for more than a day, so that one failure after quiet days disables
        nothing.
        """
        self.failing_since = min(self.failing_since or edit.at, edit.at)  # the clock may have been set back
        has_failed_long = edit.at - self.failing_since >= OFF_AFTER
        if self.is_enabled and (is_gone or (is_given_up and has_failed_long)):
            why = "The receiver answered that it is gone." if is_gone else "All deliveries failed for five days."
            self._disable(edit, f"{why} The last error: {error}")

    def _disable(self, edit: Edit, reason: str) -> None:
        self.is_enabled, self.disabled_reason = False, reason
        self.revision += 1
        self.record(EventAction.WEBHOOK_DISABLED, edit, reason, [change_of("is_enabled", "true", "false")])
        edit.events[-1].actor_id = None  # the server did it


class WebhookSecret(Base):
    """A secret that signs a webhook's messages. It is stored as it is, since each signature needs it."""

    __tablename__ = "webhook_secret"
    PREFIX = "WS"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    webhook_id: Mapped[Id]
    secret: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # None for the newest one

    __table_args__ = (
        tenant("webhook_id", "webhook", ondelete="CASCADE"),
        Index("ix_webhook_secret_webhook", "webhook_id", "id"),
    )

    @classmethod
    def make(cls, webhook: Webhook, at: datetime) -> Self:
        return cls(
            id=new_id(cls.PREFIX, at),
            organization_id=webhook.organization_id,
            webhook_id=webhook.id,
            secret=SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            created_at=at,
        )

    @classmethod
    def newest_first(cls) -> Sequence[ColumnElement[Any]]:
        """Return the order. The clock may have been set back, but earlier secrets never expire later."""
        return cls.expires_at.desc().nulls_first(), cls.id.desc()

    def expire(self, at: datetime) -> None:
        """Let the secret sign until this time, or until it would have expired anyway."""
        self.expires_at = at if self.expires_at is None else min(self.expires_at, at)


def _public(url: str) -> str:
    """Return the URL without its path and query, which may hold a token. Other webhooks are sent the events, too."""
    return f"{URL(url).origin()}/…"


def _public_change(change: Change) -> Change:
    if change["path"] != ["url"]:
        return change
    before, after = (_public(each) if isinstance(each, str) else each for each in (change["before"], change["after"]))
    return {**change, "before": before, "after": after}


def webhook_problems(values: Mapping[str, Any]) -> Iterator[UserError]:
    if isinstance(url := values.get("url"), str) and not any(limits.URL.check(url, ())):
        yield from _url_problems(url)
    if values.get("filter"):
        yield from _filter_problems(values["filter"])


def _url_problems(text: str) -> Iterator[UserError]:
    try:
        url = URL(text)
        _ = url.host, url.port
    except ValueError:
        yield UrlNotAllowed(reason="This is no valid URL.")
        return
    if url.scheme not in {"http", "https"} or not url.host:
        yield UrlNotAllowed(reason="The URL must begin with https:// and a host name.")
    if url.user is not None or url.password is not None:
        yield UrlNotAllowed(reason="The URL must hold no user name and no password. Verify the signature instead.")
    if NUMERIC.fullmatch(url.host or "") and not _is_ipv4(url.host or ""):
        yield UrlNotAllowed(reason="The host is no valid IPv4 address.")
    if "#" in text:
        yield UrlNotAllowed(reason="The URL must have no fragment, since it isn't sent.")


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _filter_problems(conditions: Mapping[str, Any]) -> Iterator[UserError]:
    for name, entries in conditions.items():
        if isinstance(entries, list):
            yield from limits.ENTRIES.check(len(entries), ("filter", name))
        if name in IDS:
            yield from _id_problems(entries, name)


def _id_problems(ids: Sequence[str], name: str) -> Iterator[Invalid]:
    for index, each in enumerate(ids):
        yield from limits.ID.check(each, ("filter", name, str(index)))
