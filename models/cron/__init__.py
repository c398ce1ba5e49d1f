"""Cron expressions: syntax, fire times, and description in English.

The syntax is that of Debian's crontab(5) with a few extensions; see `syntax`. The package doesn't depend on jobs or
databases.
"""

from mainsheet.models.cron.description import describe
from mainsheet.models.cron.expression import CronExpression
from mainsheet.models.cron.fire_times import fire_times
from mainsheet.models.cron.syntax import BadCron, normalized, parse

__all__ = ["BadCron", "CronExpression", "describe", "fire_times", "normalized", "parse"]
