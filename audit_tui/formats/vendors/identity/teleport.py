"""Teleport: outcomes in the last letter of a code, devices, statements of databases, files over SFTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import Act, act_of, told, with_reason, words_of
from audit_tui.formats.words.names import act_sentence

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_SEVERITIES = {"I": 1, "W": 3, "E": 4}
"""The last letter of a code says how serious it is: information, warning, error."""
_FILES = frozenset({"scp", "sftp", "session.disk"})


def refine(telling: Telling) -> None:
    """Tell how it ended, by the code where nothing else says it, and who did what."""
    event = telling.event
    code = telling.text("code") or ""
    telling.values["severity"] = _SEVERITIES.get(code[-1:])
    if telling.outcome is Outcome.UNKNOWN:
        ends = {"I": Outcome.SUCCESS, "W": Outcome.FAILURE, "E": Outcome.FAILURE}
        telling.verdict = Verdict(ends.get(code[-1:], Outcome.UNKNOWN))
    if telling.outcome is Outcome.FAILURE:
        telling.verdict = Verdict(Outcome.FAILURE, "access denied" in (telling.text("error") or "").lower())
    else:
        telling.reason = None
    first = event.partition(".")[0]
    subsystem = telling.mapping.tables["subsystems"].get(first, first)
    telling.values["category"] = "cluster" if subsystem == event else subsystem
    if event in _FILES:
        telling.values["target"] = telling.text("path") or telling.target
    uid = telling.text("uid")
    if uid is not None:
        # A uid is shared by the events of a test set, so what tells them apart goes in as well.
        parts = (uid, code, telling.text("ei") or "", telling.values["time"], telling.outcome.value)
        telling.values["key"] = ":".join(map(str, parts))
    _tell(telling, event, code)


def _tell(telling: Telling, event: str, code: str) -> None:
    name = telling.user or telling.text("node_name", "bot_name") or "someone"
    impersonator = telling.text("impersonator")
    telling.who = f"{impersonator} as {name}" if impersonator and impersonator != name else name
    sentences = telling.mapping.sentences
    telling.pattern = sentences.get(event)
    if event == "device":
        telling.pattern = sentences.get(code[:5], "use a device")
    elif ".statements." in event:
        telling.pattern = sentences.get(f"statements.{event.rpartition('.')[2]}")
    elif event == "sftp":
        telling.pattern = f"{_sftp_act(telling)}[ {{path}}| a file] over SFTP"
        telling.pattern += "[ on {server_hostname}| on server {server_id}| on {server_addr}]"
    if telling.pattern is not None and "with {method}" in telling.pattern:
        method = telling.text("method")
        telling.names["method"] = telling.mapping.tables["methods"].get(method, method)
    if event == "ssm.run":
        failed = " and failed" if telling.outcome is Outcome.FAILURE else ""
        where = telling.text("instance_id") or "an instance"
        telling.sentence = with_reason(f"a discovery command ran on {where}{failed}", telling.reason)
    elif telling.pattern is None:
        telling.sentence = with_reason(_by_name(telling, event), telling.reason)


def _sftp_act(telling: Telling) -> str:
    acts: list[str] = telling.mapping.tables["sftp"]
    number = telling.at("action")
    return acts[number - 1] if isinstance(number, int) and 1 <= number <= len(acts) else "use"


def _by_name(telling: Telling, event: str) -> str:
    """Tell ``github.created`` and ``app.delete`` of something that has a name."""
    who = telling.who or "someone"
    noun, _, verb = event.rpartition(".")
    name = telling.text("name")
    thing: str = telling.mapping.tables["nouns"].get(noun, " ".join(words_of(noun)))
    act = act_of(verb) or act_of(verb.removesuffix("d")) or act_of(verb.removesuffix("ed"))
    if act is None or not noun:
        sentence = act_sentence(None if who == "someone" else who, event, name, telling.outcome)
        return sentence or f"Teleport recorded {event}"
    rest = f"{thing} {name}" if name else Act(act.verb, tuple(thing.split())).phrase()
    return told(who, act.past, act.plain, rest, telling.outcome)
