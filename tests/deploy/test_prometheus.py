"""The alerting rules, the dashboard and the table of metrics fit the metrics that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mainsheet.server.observe.metrics import Metrics
from testbed.programs import installed
from testbed.proxies import DEPLOY

ROOT = DEPLOY.parent
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "mainsheet.json"
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
NAME = re.compile(r"\bmainsheet_\w+")
VARIABLES = {"$__rate_interval": "5m", "$job": "mainsheet"}


def metrics() -> dict[str, set[str]]:
    """Return the names of all metrics, as the documentation has them, with those of their time series."""
    endings = {"counter": {"_total"}, "histogram": {"_bucket", "_sum", "_count"}, "gauge": {""}}
    families = [each for each in Metrics().registry.collect() if each.name.startswith("mainsheet_")]
    shown = {each.name + ("_total" if each.type == "counter" else ""): each for each in families}
    return {name: {each.name + ending for ending in endings[each.type]} for name, each in shown.items()}


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    yield from (each["expr"] for each in dashboard["annotations"]["list"])
    for panel in dashboard["panels"]:
        yield from (each["expr"] for each in panel.get("targets", ()))


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [installed("promtool"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_rules_and_dashboard_name_only_metrics_that_exist() -> None:
    series = set().union(*metrics().values())

    named = {name for each in expressions() for name in NAME.findall(each)}

    assert named - series == set()
    assert len(named) > 20


def test_the_documentation_lists_each_metric() -> None:
    rows = re.findall(r"^\| ((?:`mainsheet_\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)

    assert sorted(name for each in rows for name in NAME.findall(each)) == sorted(metrics())


def test_the_documentation_says_what_to_do_about_each_alert() -> None:
    assert re.findall(r"^\| `(Mainsheet\w+)` \|", PAGE, re.MULTILINE) == [each["alert"] for each in rules()]


def test_promtool_accepts_the_rules_and_each_alert_fires_when_it_should(tmp_path: Path) -> None:
    cases = Path(__file__).with_name("alerts_test.yml")
    for each in (RULES, cases):
        shutil.copy(each, tmp_path)

    checked = promtool("check", "rules", RULES.name, folder=tmp_path)
    tested = promtool("test", "rules", cases.name, folder=tmp_path)

    assert checked.returncode == 0, checked.stderr
    assert tested.returncode == 0, tested.stdout + tested.stderr
    ordinary, wrong, *_ = yaml.safe_load(cases.read_text("utf-8"))["tests"]
    names = [each["alert"] for each in rules()]
    assert [each["alertname"] for each in ordinary["alert_rule_test"]] == names
    assert [each["alertname"] for each in wrong["alert_rule_test"] if each["exp_alerts"]] == names


def test_promtool_accepts_the_dashboards_expressions(tmp_path: Path) -> None:
    made = []
    for number, expression in enumerate(expressions()):
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)  # noqa: PLW2901
        made.append({"record": f"dashboard:{number}", "expr": expression})
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": made}]}))

    result = promtool("check", "rules", "rules.yml", folder=tmp_path)

    assert result.returncode == 0, result.stderr
