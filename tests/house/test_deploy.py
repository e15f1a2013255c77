"""What is deployed names only what exists: metrics, commands, settings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from datetime import timedelta

import yaml

from adapters.ops.metrics import Metrics
from adapters.ops.tally import Counts
from bot.__main__ import _parser
from bot.commands.grammar import parse
from bot.commands.vocabulary import Vocabulary
from bot.domain.vitals import Rows, Vitals
from bot.settings import Settings
from tests.house.reading import ROOT

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\blastcall_\w+")
SETTING = re.compile(r"\bLASTCALL_[A-Z_]+\b")
COMMAND = re.compile(r"^lastcall .+$|`(lastcall [^`]+)`", re.MULTILINE)


def known_metrics() -> set[str]:
    """Every name under which /metrics can show a value."""
    counts = Counts()
    counts.torn_down("x", timedelta(seconds=1))
    text = Metrics(counts).text(Vitals("x", Rows())).decode()
    found = set()
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        found |= {f"{name}_{end}" for end in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


def test_alerts_and_dashboard_name_only_metrics_that_exist() -> None:
    """An alert on a name that is not there never fires, and nobody notices."""
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana/lastcall.json").read_text())["panels"]
    asked = [rule["expr"] for rule in rules] + [one["expr"] for panel in panels for one in panel["targets"]]
    assert len(asked) > 20
    used = {name for text in asked for name in METRIC.findall(text)}
    assert used - known_metrics() == set()


def test_every_alert_leads_to_a_part_of_the_runbook() -> None:
    """The anchors are those that the headings make."""
    heads = re.findall(r"^## (.+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
    anchors = {head.lower().replace(" ", "-") for head in heads}
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        assert rule["annotations"].get("runbook", "#upgrade").rpartition("#")[2] in anchors, rule["alert"]


def test_every_command_of_the_runbook_can_be_typed() -> None:
    """Read by the same parser, and the line for the bot by the same grammar, as at a prompt."""
    text = (DEPLOY / "RUNBOOK.md").read_text()
    commands = [found[0].strip("`") for found in COMMAND.finditer(text)]
    assert len(commands) > 8
    for command in commands:
        arguments = _parser().parse_args(shlex.split(command)[1:])
        if getattr(arguments, "line", None):
            parse(arguments.line, Vocabulary())


def test_deploy_files_set_only_settings_that_exist() -> None:
    """A setting that nobody reads is one that is misspelt."""
    known = {Settings.variable(name) for name in Settings.model_fields}
    used = {
        name
        for path in DEPLOY.rglob("*")
        if path.is_file()
        for name in SETTING.findall(path.read_text(encoding="utf-8"))
    }
    assert "LASTCALL_OPS_PORT" in used
    assert used - known == set()


def test_what_the_dockerfile_copies_is_let_through_and_nothing_secret_is() -> None:
    """The ignore file begins with everything, and names what is needed."""
    let = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert {word for line in copied for word in line.split()} == let
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_help_names_every_command() -> None:
    """The parser works as a process, too."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "health" in done.stdout
