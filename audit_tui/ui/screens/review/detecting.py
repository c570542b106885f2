"""Detections: rules asked in the background, their hits marked in the list, listed, and told in the pane."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition, in_words
from audit_tui.core.filter.matching import reasons
from audit_tui.core.filter.operators import MATCHES
from audit_tui.core.investigate.detections import Detected, RuleHits
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean, counted, cut
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.screens.review.explaining import Explaining
from audit_tui.ui.screens.review.marking import places_of, seqs_filter
from audit_tui.ui.screens.review.ranging import Ranging
from audit_tui.ui.widgets.facets.facet_lines import NamedFilters
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.row_strips import Remark

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.investigate.detections import Level
    from audit_tui.ui.screens.pick_dialog import Choice, PickDialog, Picked

NO_RULES = "No Sigma rules: start with --rules built-in, or --rules FOLDER."
MAX_CONDITIONS = 900
AGAIN_S = 2.0
MAX_REASONS = 3
MAX_CHARS = 200
"""Of what an author says of false hits; the rest is in the list of rules."""
_HINT = "⏎ events  n next  e as query  i about  x silence  Esc close"
_TITLE_CELLS = 48


class Detecting(Ranging, Explaining):
    """The rules that were named, and the key that lists those that hit."""

    _detected = Detected()
    _hits_at: Mapping[int, Sequence[RuleHits]] = {}
    _detecting: CancelToken | None = None
    _rules_dialog: PickDialog[RuleHits] | None = None
    _looked_upto = 0
    _is_resting = False

    def on_mount(self) -> None:
        self.call_after_refresh(self.detect)

    def on_unmount(self) -> None:
        if self._detecting is not None:
            self._detecting.cancel()

    @on(EventList.QueryShown)
    def _detect_again(self, message: EventList.QueryShown) -> None:
        if message.is_reopened:
            self.detect()
        elif not self._is_resting:
            self._is_resting = True
            self.set_timer(AGAIN_S, self._detect_newer)

    def _detect_newer(self) -> None:
        self._is_resting = False
        upto_seq = self.event_list.shown.query.upto_seq or 0
        if self._detected.is_done and upto_seq > self._looked_upto:
            self._looked_upto = upto_seq
            self.detect()

    def detect(self) -> None:
        detections = self._opening.detections
        if detections is None:
            return
        if self._detecting is not None:
            self._detecting.cancel()
        token = self._detecting = CancelToken()

        def report(detected: Detected) -> None:
            self.call_later(self._take_detected, token, detected)

        def run() -> None:
            try:
                detections.run(report, token)
            except QueryCancelled:
                return
            except AuditTuiError as error:
                self.call_later(self.show_error, error)

        self.run_worker(run, thread=True, group="detect")

    def _take_detected(self, token: CancelToken, detected: Detected) -> None:
        if token.is_cancelled or (self._detected.is_done and not detected.is_done):
            # What was found before stays until all rules were asked again.
            return
        changed = detected.hits != self._detected.hits
        self._detected = detected
        if changed:
            hits_at: defaultdict[int, list[RuleHits]] = defaultdict(list)
            # The weightiest first, as they are.
            for hits in detected.hits:
                for seq in hits.seqs:
                    hits_at[seq].append(hits)
            self._hits_at = hits_at
            self.show_remarks()
            self.mark_strip()
            self.show_named_filters()
        dialog = self._rules_dialog
        if dialog is not None and dialog.is_current:
            dialog.renew(detection_words(detected), _choices(detected))
        if changed and detected.is_done and any(hits.events for hits in detected.hits):
            self.say(f"{detection_words(detected)}: {self._keymap.key_of('detections')} lists them.")

    def strip_marks(self) -> Sequence[tuple[int, Level]]:
        """Return when rules hit, with their levels: in the strip also of events that are filtered out."""
        return [
            (occurred_us, hits.info.level) for hits in self._detected.hits for occurred_us in hits.times_us
        ]

    def named_filters(self) -> NamedFilters:
        rules: dict[str, Filter] = {}
        for hits in self._detected.hits:
            name = f"{hits.info.level.letter} {hits.info.title}"
            if hits.events:
                rules[f"{name} ({hits.info.id})" if name in rules else name] = _hits_filter(hits)
        return NamedFilters("Rule", tuple(rules.items()))

    def remarks(self) -> dict[int, Remark]:
        remarks = super().remarks()
        for seq, hits in self._hits_at.items():
            remarks[seq] = remarks.get(seq, Remark())._replace(level=hits[0].info.level)
        return remarks

    def remarks_of(self, event: AuditEvent) -> Sequence[str]:
        lines = list(super().remarks_of(event))
        for hits in self._hits_at.get(event.seq or 0, ()):
            lines += [*self._told(hits, event), ""]
        return lines

    def fields_of(self, event: AuditEvent) -> Collection[FilterField]:
        return {
            reason.field for hits in self._hits_at.get(event.seq or 0, ()) for reason in _why(hits, event)
        }

    def _told(self, hits: RuleHits, event: AuditEvent) -> list[str]:
        """Return what the pane says of a hit: the rule and its author, and why it hit, in few lines."""
        info = hits.info
        redact = self._opening.redact
        reasons = [each if redact is None else redact.shown(each) for each in _why(hits, event)]
        words = list(map(in_words, reasons))
        if not hits.is_exact:
            words.append("what no query line says: a test of its own, or other events")
        lines = [f"{info.level.letter}  {info.title} ({info.author or 'no author'})"]
        lines += [f"   because {' and '.join(words)}"] if words else []
        return lines + [f"   or harmless: {text[:MAX_CHARS]}" for text in info.false_positives[:MAX_REASONS]]

    # -- the list of rules

    def action_detections(self) -> None:
        if self._opening.detections is None:
            if not self.compare_marked():
                self.say(NO_RULES)
            return
        from audit_tui.ui.screens.pick_dialog import PickDialog

        dialog: PickDialog[RuleHits] = PickDialog(
            detection_words(self._detected),
            _choices(self._detected),
            hint=_HINT,
            keys=("n", "e", "i", "x", "c"),
        )
        self._rules_dialog = dialog
        self._open(dialog, self._take_rule)

    def _take_rule(self, picked: Picked[RuleHits]) -> None:
        hits = picked.value
        if picked.key == "c":
            if not self.compare_marked():
                self.say("Mark 2 to 4 events to compare them.")
            return
        if hits is None:
            return
        from audit_tui.ui.screens.text_dialog import told_dialog

        match picked.key:
            case "n":
                self._next_hit(hits)
            case "e":
                # In the dialog's own rows, to be edited there.
                self.show_view(replace(self.view_of(), filter=hits.filter))
                self.call_after_refresh(self.run_action, "filter")
            case "i":
                self.app.push_screen(told_dialog(hits.info.title, rule_words(hits)))
            case "x":
                self._ask_silence(hits)
            case _:
                self.show_view(self.view_of(_hits_filter(hits)))

    def _next_hit(self, hits: RuleHits) -> None:
        """Go to the next hit of a rule in what is shown, among what happened around it."""
        seqs, row = hits.seqs[-MAX_CONDITIONS:], self.table.cursor_row
        self._ask_once(
            partial(places_of, self.event_list.shown.query, seqs), partial(self._take_hit_places, row)
        )

    def _take_hit_places(self, row: int, places: Sequence[int]) -> None:
        if not places:
            self.say("None of its events are in this view.")
            return
        target = next((place for place in places if place > row), places[0])
        self.table.jump_to(target)
        self.say(f"Hit {places.index(target) + 1} of {len(places)} in this view.")

    def _ask_silence(self, hits: RuleHits) -> None:
        from audit_tui.ui.screens.menu import Menu, MenuItem

        row = self.table.highlighted
        items = [MenuItem("a", "All its hits", hits.info.title)]
        queries = [""]
        if row is not None and row.user is not None and self._hits_at.get(row.seq):
            queries.append(line_of(Condition(Column.USER, MATCHES, row.user)))
            items.append(MenuItem("u", "Those of this user", row.user))
        self._open(Menu("Silence", items, act="silence"), lambda number: self._silence(hits, queries[number]))

    def _silence(self, hits: RuleHits, query: str) -> None:
        detections = self._opening.detections
        if detections is None:
            return
        try:
            detections.silence(hits.info, query)
        except AuditTuiError as error:
            self.show_error(error)
            return
        self.say(
            f"Silenced {query or 'all hits'} of {hits.info.title}, in silences.toml beside the settings."
        )
        self.detect()


def _hits_filter(hits: RuleHits) -> Filter:
    """Return the filter of a rule, or one that names its events where that takes others too."""
    takes_others = not hits.is_exact or hits.silenced
    if hits.events and takes_others and len(hits.seqs) <= MAX_CONDITIONS:
        return seqs_filter(hits.seqs)
    return hits.filter


def detection_words(detected: Detected) -> str:
    """Say how many rules hit how many events, and how many of them were asked."""
    if not detected.rules:
        return "Reading the rules"
    rules = sum(1 for hits in detected.hits if hits.events)
    hits = counted(sum(hits.events for hits in detected.hits), "hit")
    words = f"{rules} of {counted(detected.rules, 'rule')} hit, {hits}"
    silenced = sum(hits.silenced for hits in detected.hits)
    words += f", {silenced:,} silenced" if silenced else ""
    return words if detected.is_done else f"{words}; {detected.asked} asked so far"


def rule_words(hits: RuleHits) -> str:
    """Return all that a rule says of itself, and its query."""
    info = hits.info
    parts = [
        info.description,
        *(f"Harmless: {text}" for text in info.false_positives),
        f"Level {info.level.word}, by {info.author or 'nobody who is named'}, {info.date or 'no date'}",
        " ".join(info.tags),
        *info.references,
        f"Rule {info.id}" + (f", licence {info.license}" if info.license else ""),
        ("Query: " if hits.is_exact else "Query, which takes more than the rule: ") + line_of(hits.filter),
    ]
    return "\n".join(filter(None, parts))


def _why(hits: RuleHits, event: AuditEvent) -> list[Condition]:
    return [reason for reason in reasons(hits.filter, event) if reason.field is not Column.SOURCE]


def _choices(detected: Detected) -> list[Choice[RuleHits]]:
    from audit_tui.ui.screens.pick_dialog import Choice

    choices: list[Choice[RuleHits]] = [
        Choice(
            f"{cut(clean(hits.info.title), _TITLE_CELLS):<{_TITLE_CELLS}}  ",
            hits,
            label=f"{hits.info.level.letter} {hits.events:>6,}  ",
            end=", ".join([*([f"{hits.silenced:,} silenced"] if hits.silenced else []), hits.info.author]),
        )
        for hits in detected.hits
    ]
    if not choices:
        choices.append(Choice("No rule hit." if detected.is_done else "No rule hit yet."))
    return choices + [Choice(note) for note in detected.notes]
