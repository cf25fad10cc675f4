"""The dashboard and the alert rules of deploy/ name only what a running installation really tells."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml
from prometheus_client import Metric

from tests.backstage import until
from tests.operated import Operated

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
EXERCISES: Final = ("grafana/*.json", "prometheus/*.yaml")
RULES: Final = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "parvis.json").read_text())
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PROMETHEUS_OWN: Final = {"up": {"job", "instance"}}
SPOKEN: Final = re.compile(r"`(parvis [^`]+)`")
PROMTOOL: Final = shutil.which("promtool")


def selectors(node: Any) -> Iterator[Any]:
    """Every selector of an expression."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql_parser.AggregateExpr():
            yield from selectors(node.expr)
        case promql_parser.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            yield from selectors(node.expr)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            raise AssertionError(f"{type(node).__name__} is not known here")


def grouped_by(node: Any) -> set[str]:
    """The labels by which an expression groups or joins, wherever it does."""
    found: set[str] = set()
    modifiers = re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", str(node.prettify()))
    for labels in modifiers:
        found |= {label.strip() for label in labels.split(",") if label.strip()}
    return found


def unknown_in(expression: str, told: "dict[str, set[str]]") -> list[str]:
    """What an expression names that nobody tells: metrics, labels that they lack, labels to group by."""
    node = promql_parser.parse(expression.replace("$house", ".+"))
    faults: list[str] = []
    labels: set[str] = set()
    for selector in selectors(node):
        if selector.name not in told:
            faults.append(selector.name)
            continue
        labels |= told[selector.name]
        faults += [
            f"{selector.name}{{{m.name}}}" for m in selector.matchers.matchers if m.name not in told[selector.name]
        ]
    return faults + sorted(grouped_by(node) - labels)


def expressions() -> list[tuple[str, str]]:
    """Every expression of deploy/, with where it stands."""
    found = [(rule["alert"], rule["expr"]) for rule in RULES]
    found += [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    return found + [(each["name"], each["expr"]) for each in DASHBOARD["annotations"]["list"]]


@pytest.fixture(scope="module")
def told() -> "Iterator[dict[str, set[str]]]":
    """The samples that a running `parvis serve` tells in the middle of a sale, each with its labels."""
    running = Operated(("zeewind",))
    running.start()
    try:
        yield asyncio.run(_told(running))
    finally:
        running.stop()


async def _told(running: Operated) -> "dict[str, set[str]]":
    await running.until_ready()
    async with await running.open_sale("zeewind") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        assert (await sale.hold(await sale.enter(), "zaal-A-1")).status == 409
        await sale.order(token, held)

        async def is_told() -> bool:
            admitted = await running.number("parvis_admissions_total", house="zeewind")
            return admitted >= 1 and await running.number("parvis_orders", state="recorded") >= 1

        await until(is_told, "the sale is told of")
        return labels_of((await running.metrics()).values())


def labels_of(families: Any) -> "dict[str, set[str]]":
    """Sample names with their labels, as Prometheus keeps them."""
    found = {name: set(labels) for name, labels in PROMETHEUS_OWN.items()}
    family: Metric
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


def test_every_expression_names_what_is_really_told(told: "dict[str, set[str]]") -> None:
    faults = {where: unknown for where, each in expressions() if (unknown := unknown_in(each, told))}
    assert faults == {}
    assert len(expressions()) > 50


def test_every_metric_is_on_the_dashboard_or_in_a_rule(told: "dict[str, set[str]]") -> None:
    named = {selector.name for _, each in expressions() for selector in selectors(promql_parser.parse(each))}
    untold = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in told if name.startswith("parvis_")}
    assert sorted(untold - {re.sub(r"_bucket$", "", name) for name in named}) == []


@pytest.mark.parametrize(
    ("expression", "faults"),
    [
        ("parvis_gate_open == 0", []),
        ("parvis_gate_opened == 0", ["parvis_gate_opened"]),
        ('sum by (house) (rate(parvis_answers_total{status="503"}[5m]))', []),
        ('rate(parvis_answers_total{code="503"}[5m])', ["parvis_answers_total{code}"]),
        ("sum by (tenant) (parvis_gate_open)", ["tenant"]),
        ("(1 - parvis_nothing) / 2", ["parvis_nothing"]),
        ("parvis_gate_open and on (on_sale) parvis_gate_open", ["on_sale"]),
    ],
)
def test_an_expression_that_names_what_nobody_tells_is_noticed(expression: str, faults: list[str]) -> None:
    told = {"parvis_gate_open": {"house"}, "parvis_answers_total": {"house", "route", "status"}}
    assert unknown_in(expression, told) == faults


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_at_night_what_is_the_matter_and_what_to_do(rule: Any) -> None:
    from engine.cli.main import app

    summary, action = rule["annotations"]["summary"], rule["annotations"]["action"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert "{{ $labels.house }}" in summary or rule["alert"] == "ParvisAway"
    assert len(summary.split()) >= 8
    assert len(action.split()) >= 8
    for text in (summary, action):
        assert text.endswith(".")
        assert not re.search(r"\bnull\b|undefined|cell|shard|fence", text.replace("cell-unavailable", ""))
    for command in SPOKEN.findall(action):
        words = command.replace("{{ $labels.house }}", "zeewind").split()[1:]
        if words == ["serve"]:
            continue
        names = [word for word in words if not word.startswith("-") and word != "zeewind"]
        at: Any = app
        for name in names:
            at = at[name]


def test_the_dashboard_can_be_read_by_grafana_and_by_people() -> None:
    assert DASHBOARD["uid"] == "parvis"
    assert DASHBOARD["schemaVersion"] >= 36
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert {each["name"] for each in DASHBOARD["templating"]["list"]} == {"datasource", "house"}
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        for target in panel["targets"]:
            assert "$house" in target["expr"] or "processes" in target["legendFormat"], panel["title"]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (it is in Debian's package prometheus)")
@pytest.mark.parametrize(
    "words",
    [("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml"), ("check", "config", "prometheus.yaml")],
    ids=" ".join,
)
def test_prometheus_itself_takes_them(words: tuple[str, ...]) -> None:
    said = subprocess.run(
        [str(PROMTOOL), *words], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
