"""The last events, which are unpacked in memory, are asked as the others are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.matching import matcher, matcher_of
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query import EventQuery
from audit_tui.demo import DemoValues, demo_events
from audit_tui.detect import running as tail
from audit_tui.detect.loading import BUILT_IN, load_rules
from audit_tui.detect.running import Runner, UnpackedEvent, unpacked_texts
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.ui.review_app import NOW

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_hits_do_not_depend_on_how_many_events_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "audit.db"
    with StoreWriter(store) as writer:
        writer.append(list(demo_events(DemoValues(until=NOW, events=700))))
    rules = load_rules([BUILT_IN]).rules
    answers = []
    for most, chars in ((0, 1_000_000), (7, 1_000_000), (300, 1_000_000), (10_000, 1_000_000), (300, 50)):
        monkeypatch.setattr(tail, "TAIL_EVENTS", most)
        monkeypatch.setattr(tail, "MAX_TAIL_CHARS", chars)
        runner = Runner(rules)
        with StoreReader(store) as reader:
            hits = {rule.info.title: list(runner.hits(reader, rule, EventQuery())) for rule in runner.rules}
        for events in hits.values():
            assert events == sorted(events, key=lambda event: (-event.occurred_us, -(event.seq or 0)))
        answers.append(hits)
    assert any(answers[0].values())
    assert answers == [answers[0]] * len(answers)


VALUES = st.recursive(
    st.one_of(st.sampled_from(["a", "b", "ab"]), st.booleans(), st.none(), st.integers(0, 2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["x", "y", "x.y", ""]), inner, max_size=2),
    ),
    max_leaves=6,
)
METADATA = st.dictionaries(st.sampled_from(["x", "y", "x.y"]), VALUES, max_size=3)
FIELDS = st.sampled_from([MetaField("x"), MetaField("x.y"), MetaField("y.x.y"), MetaField("x."), ANY_TEXT])


CONDITIONS = st.builds(Condition, FIELDS, st.sampled_from([IS, CONTAINS]), st.sampled_from(["a", "2"]))


@given(metadata=METADATA, condition=CONDITIONS)
def test_a_held_event_has_the_texts_of_the_event(metadata: dict[str, Any], condition: Condition) -> None:
    event = AuditEvent("e", 0, metadata=metadata)
    assert matcher_of(condition, unpacked_texts)(UnpackedEvent(event)) == matcher(condition)(event)
