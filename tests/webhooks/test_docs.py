"""The code in docs/webhooks.md verifies messages."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mainsheet.models.webhook import Webhook, WebhookSecret
from mainsheet.server.webhooks.message import headers_of

PAGE = Path(__file__).parents[2] / "docs/webhooks.md"


def secret() -> str:
    return WebhookSecret.make(Webhook(id="WH1", organization_id="OR1"), datetime.now(UTC)).secret


def test_the_documented_code_verifies_signatures() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    documented: dict[str, Any] = {}
    exec(code, documented)
    is_signed, now, body, secrets = documented["is_signed"], datetime.now(UTC), b"{}", [secret(), secret()]

    headers = headers_of("EV1", now, body, secrets)
    late = headers_of("EV1", now - timedelta(minutes=6), body, secrets)

    assert [is_signed(headers, body, each) for each in secrets] == [True, True]
    assert not is_signed(headers, body, secret())
    assert not is_signed(headers, b"[]", secrets[0])
    assert not is_signed({**headers, "webhook-id": "EV2"}, body, secrets[0])
    assert not is_signed(late, body, secrets[0])
