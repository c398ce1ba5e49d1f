"""Expected errors of the mutations that change webhooks."""

from dataclasses import dataclass, field

from mainsheet.models.errors import IN_MESSAGE_ONLY, NotFound, Path, UserError


@dataclass(kw_only=True, eq=False)
class WebhookNotFound(NotFound):
    """The webhook doesn't exist."""

    code = "WEBHOOK_NOT_FOUND"
    text = "There is no webhook {missing_id!a:.60}.{hint}"
    path: Path = ("webhook_id",)


@dataclass(kw_only=True, eq=False)
class WebhookDeliveryNotFound(UserError):
    """The webhook has no such delivery, or it was deleted because it was old."""

    code = "WEBHOOK_DELIVERY_NOT_FOUND"
    text = "The webhook has no delivery {missing_id!a:.60}."
    missing_id: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class UrlNotAllowed(UserError):
    """The URL can't be the address of a webhook. The message says why."""

    code = "URL_NOT_ALLOWED"
    text = "{reason}"
    path: Path = ("url",)
    reason: str = field(metadata=IN_MESSAGE_ONLY)
