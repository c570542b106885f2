"""Public Sigma rules over real logs: each rule as pySigma's own backend says of the records themselves."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.filter.filters import everywhere
from audit_tui.core.filter.matching import matcher
from audit_tui.core.query import EventQuery
from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.text import line_of
from audit_tui.core.time.dates import TimeContext
from audit_tui.formats.record import RecordError, Shape
from audit_tui.formats.registry import Formats
from audit_tui.ingest.import_logs import import_logs
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import NOW
from tests.formats.logs import SHARED

if find_spec("sigma") is None:
    pytest.skip("the extra sigma is not installed", allow_module_level=True)

from audit_tui.detect.loading import load_rules
from audit_tui.detect.plan import plan_of, table_of
from audit_tui.detect.running import Runner
from tests.detect.oracle import hits, raw_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.detect.tree import Rule

RULES = SHARED / "sigma" / "rules"
RAW_NAMES = {
    "cloudtrail": {"eventName", "eventSource", "sourceIPAddress"},
    "azure": {"caller", "resource_id"},
    "entra": {"operationName", "category", "callerIpAddress"},
    "workspace": {"name", "ipAddress"},
    "github": {"action", "actor", "actor_ip"},
    "m365": {"Operation", "Workload", "UserId", "ObjectId", "ClientIP"},
    "okta": {"eventType"},
}
"""The names of records that the import moved into columns."""
CONTEXT = TimeContext(UTC, NOW)
LOWERED = ("azure", "entra", "gcp", "m365", "okta")


@cache
def rules_and_texts() -> tuple[tuple[Rule, str], ...]:
    pairs = []
    for path in sorted(RULES.rglob("*.yml")):
        loaded = load_rules([path])
        assert not loaded.unread, path
        pairs += [(rule, path.read_text()) for rule in loaded.rules]
    return tuple(pairs)


def json_records(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of JSON files, as they are."""
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
        if not path.name.endswith((".json", ".jsonl", ".json.gz")):
            continue
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        try:
            whole = json.loads(text)
        except ValueError:
            whole = []
            for line in text.splitlines():
                try:
                    whole.append(json.loads(line))
                except ValueError:
                    continue
        records = whole.get("Records", [whole]) if isinstance(whole, dict) else whole
        yield from (record for record in records if isinstance(record, dict))


@cache
def pairs_of(folder: str) -> tuple[tuple[dict[str, Any], AuditEvent], ...]:
    """Records with the events that they become."""
    formats = Formats()
    pairs = []
    for fields in json_records(SHARED / folder):
        log_format = formats.recognised(fields, Shape.JSON)
        if log_format is None:
            continue
        try:
            parts = log_format.split(fields) if log_format.split else [fields]
            pairs += [(part, log_format.map(part)) for part in parts]
        except RecordError:
            continue
    return tuple(pairs)


@pytest.mark.parametrize(
    ("folder", "records", "marks"),
    [
        ("cloudtrail/invictus", 2_900, 109),
        ("cloudtrail/stratus", 310, 80),
        ("cloudtrail/logstash.jsonl", 103, 11),
        ("cloudtrail/lookup_events.jsonl", 6, 0),
        ("azure", 51, 14),
        ("gcp", 154, 8),
        ("github", 65, 15),
        ("kubernetes", 69, 22),
        ("m365", 23, 0),
        ("okta", 60, 19),
        ("workspace", 67, 0),
    ],
)
def test_each_rule_hits_what_pysigma_finds_in_the_records(folder: str, records: int, marks: int) -> None:
    pairs = pairs_of(folder)
    assert len(pairs) == records
    total = 0
    seen: dict[tuple[int, str], list[Any]] = {}
    for rule, text in rules_and_texts():
        table, plan = table_of(rule.logsource), plan_of(rule)
        if table is None or plan is None or rule.tree is None:
            continue
        mine = [(number, pair) for number, pair in enumerate(pairs) if pair[1].source == table.source]
        if not mine:
            continue
        takes = matcher(everywhere(plan.filter))
        ours = {
            number for number, (_, event) in mine if takes(event) and (plan.test is None or plan.test(event))
        }
        given_back = RAW_NAMES.get(table.source, set())
        names = {field: raw_names(table, field, given_back) for field in table.names}
        records_of = [(number, record) for number, (record, _) in mine]
        theirs = hits(rule, text, records_of, names, ignores_case=table.source in LOWERED, seen=seen)
        assert ours == theirs, (rule.info.title, line_of(plan.filter))
        total += len(ours)
    assert total == marks


AUDIT_LINE = re.compile(r"type=(\w+) msg=audit\((\d+\.\d+:\d+)\): ?(.*)")
AUDIT_FIELD = re.compile(r"""(\w[\w-]*)=("[^"]*"|'[^']*'|\S*)""")
HEX_FIELDS = re.compile(r"(a\d+|name|comm|exe|cwd|proctitle)")


def audit_records() -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of raw audit logs, each with the mark of its event, read the plain way."""
    for path in sorted((SHARED / "auditd").glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            match = AUDIT_LINE.search(line)
            if match is None:
                continue
            kind, mark, rest = match.groups()
            fields: dict[str, Any] = {"type": kind}
            for name, value in AUDIT_FIELD.findall(rest.replace("\x1d", " ")):
                text = value.strip("\"'")
                is_hex = re.fullmatch(r"(?:[0-9A-F]{2})+", value) and kind != "SYSCALL"
                if is_hex and HEX_FIELDS.fullmatch(name):
                    text = bytes.fromhex(value).decode(errors="replace").replace("\0", " ")
                fields[name] = text
            yield mark, fields


def test_a_rule_of_auditd_hits_the_events_of_the_records_that_pysigma_finds(tmp_path: Path) -> None:
    store = tmp_path / "audit.db"
    import_logs(sorted((SHARED / "auditd").glob("*.log")), store)
    marks = dict(enumerate(audit_records()))
    hit_rules, total = set(), 0
    with StoreReader(store) as reader:
        events = [event for event in reader.events(EventQuery()) if event.source == "auditd"]
        assert len(events) > 200
        for rule, text in rules_and_texts():
            plan = plan_of(rule)
            if plan is None or str(rule.logsource) != "linux/auditd":
                continue
            takes = matcher(everywhere(plan.filter))
            ours = {
                ":".join((event.key or "").split(":")[1:3])
                for event in events
                if takes(event) and (plan.test is None or plan.test(event))
            }
            numbers = hits(rule, text, ((number, fields) for number, (_, fields) in marks.items()), {})
            assert ours == {marks[number][0] for number in numbers}, (rule.info.title, line_of(plan.filter))
            total += len(ours)
            hit_rules |= {rule.info.title} if ours else set()
    assert (len(hit_rules), total) == (5, 8)


def test_rules_are_lines_that_parse_back() -> None:
    lines = 0
    for rule, _ in rules_and_texts():
        plan = plan_of(rule)
        if plan is not None and plan.is_exact:
            assert parse(line_of(plan.filter), CONTEXT).filter == plan.filter, rule.info.title
            lines += 1
    # Of 355: 3 of logs that are not imported, 3 with regular expressions, 1 that compares two fields, and 2
    # whose tests must hold in one of several records of an event.
    assert lines == 346


def test_invictus_has_exactly_109_marks_of_11_rules_whatever_else_is_loaded(tmp_path: Path) -> None:
    store = tmp_path / "audit.db"
    import_logs([SHARED / "cloudtrail" / "invictus"], store)
    together = Runner([rule for rule, _ in rules_and_texts()])
    marks: dict[Rule, list[int | None]] = {}
    with StoreReader(store) as reader:
        for rule in together.rules:
            seqs = [event.seq for event in together.hits(reader, rule, EventQuery())]
            if seqs:
                marks[rule] = seqs
            plan = together.plan(rule)
            if plan is not None and plan.is_exact and seqs:
                line = parse(together.line(rule), CONTEXT).filter
                assert [event.seq for event in reader.events(EventQuery(everywhere(line)))] == seqs
        # Without the others; a rule alone reads all events, which takes half a second.
        fewer = [Runner([*marks][::-1]), *(Runner([rule]) for rule in [*marks][:2])]
        for runner in fewer:
            for rule in runner.rules:
                assert [event.seq for event in runner.hits(reader, rule, EventQuery())] == marks[rule]
    counts = sorted(len(seqs) for seqs in marks.values())
    assert counts == [1, 1, 1, 2, 2, 3, 5, 6, 6, 6, 76]
