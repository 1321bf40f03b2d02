"""What the documentation, the alerts and the Grafana dashboard say of /metrics is what a running Sluice
shows there."""
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from support.admin import ADMIN, Admin
from support.backends import Backend
from support.metrics import scrape
from support.sluice import Sluice, front

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exposition():
    """What there is when everything is switched on."""
    with Backend("echo", "b1") as server:
        with Sluice(front([server], cluster={"health_check": {"interval": "1h"}}, **ADMIN)) as sluice:
            sluice.eventually_event("health", to="healthy")
            yield scrape(Admin(sluice))


def documented():
    """{name: (type, labels, help)} of the tables."""
    rows = {}
    for line in (PROJECT / "docs" / "METRICS.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"`(sluice|process)_\w+`", cells[0]):
            name, kind, labels, _, text = cells
            assert name not in rows
            rows[name.strip("`")] = (kind, set(re.findall(r"`(\w+)`", labels)), text)
    return rows


def test_the_documentation_has_every_metric_as_it_is(exposition):
    labels = exposition.label_names()
    told = {
        name: (kind, labels[name], exposition.help()[name]) for name, kind in exposition.types().items()
    }
    assert documented() == told


# A metric with its matchers, in PromQL.
USE = re.compile(r"\b((?:sluice|process)_[a-z0-9_]+)(\{[^}]*\})?")
# Labels that Prometheus adds.
ADDED = {"job", "instance", "le", "__name__"}


def unknown(expression, exposition):
    """Metrics and labels in an expression that no series has."""
    labels = exposition.label_names()
    problems, known = [], set(ADDED)
    for name, matchers in USE.findall(expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        base = base if exposition.types().get(base) == "histogram" else name
        if base not in labels:
            problems.append(f"no metric {name}")
            continue
        known |= labels[base]
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            if label not in labels[base] | ADDED:
                problems.append(f"{name} has no label {label}")
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        problems += [
            f"nothing has a label {label.strip()}"
            for label in group.split(",")
            if label.strip() and label.strip() not in known
        ]
    return problems


def test_the_search_for_unknown_metrics_sees_them(exposition):
    good = 'sum by (listener, instance) (rate(sluice_session_ends_total{reason=~"limit"}[5m]))'
    assert unknown(good, exposition) == []
    assert unknown("rate(sluice_session_duration_seconds_bucket[5m])", exposition) == []
    for before, after in (("ends_total", "end_total"), ("reason", "raison"), ("(listener", "(lister")):
        assert unknown(good.replace(before, after), exposition), (before, after)


def test_every_alert_asks_for_what_is_there(exposition):
    yaml = pytest.importorskip("yaml")
    rules = yaml.safe_load((PROJECT / "conf" / "prometheus" / "alerts.yml").read_text())
    names = set()
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["alert"] not in names
            names.add(rule["alert"])
            assert unknown(rule["expr"], exposition) == [], rule["alert"]
            text = " ".join(rule["annotations"].values())
            used = {name for name, _ in USE.findall(rule["expr"])}
            has = set().union(ADDED, *(exposition.label_names()[name] for name in used))
            assert set(re.findall(r"\$labels\.(\w+)", text)) <= has, rule["alert"]
            assert {"summary", "description"} == set(rule["annotations"])


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def test_every_panel_of_the_dashboard_shows_what_is_there(exposition):
    dashboard = json.loads((PROJECT / "conf" / "grafana" / "sluice.json").read_text())
    sources = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert "datasource" in sources
    used = set()
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids))
    for panel in panels(dashboard):
        if panel["type"] == "row":
            continue
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            expression = target["expr"]
            assert set(re.findall(r"\$(\w+)", expression)) <= sources | {"__rate_interval"}, expression
            assert unknown(expression, exposition) == [], panel["title"]
            here = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in USE.findall(expression)}
            used |= here
            legend = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            has = set().union(ADDED, *(exposition.label_names().get(name, set()) for name in here))
            assert legend <= has, panel["title"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            assert unknown(variable["definition"], exposition) == [], variable["name"]
    told = set(exposition.types())
    assert {name for name in told if name.startswith("sluice_")} <= used, "each has its place"
