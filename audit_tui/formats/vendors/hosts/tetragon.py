"""Tetragon: the kind of an event is the key that holds it; what it tells is the process in there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import shown

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_KINDS = ("process_exec", "process_exit", "process_kprobe", "process_tracepoint", "process_lsm")
_UNSET = "4294967295"
_DENIED = ("ACTION_OVERRIDE", "ACTION_SIGKILL", "KPROBE_ACTION_OVERRIDE", "KPROBE_ACTION_SIGKILL")


def refine(telling: Telling) -> None:
    """Tell which process did what."""
    text = telling.text
    kind = next(kind for kind in _KINDS if telling.record.key(kind) is not None)
    telling.values["event"] = kind
    inner = f"{kind}.process"
    uid = next(
        (uid for uid in (text(f"{inner}.auid"), text(f"{inner}.uid")) if uid not in (None, _UNSET)), None
    )
    user = text(f"{inner}.process_credentials.name", f"{inner}.user.name")
    telling.values["user"] = user or ("root" if uid == "0" else uid)
    pod, namespace = text(f"{inner}.pod.name"), text(f"{inner}.pod.namespace")
    telling.values["category"] = "process"
    binary = text(f"{inner}.binary")
    call = text(f"{kind}.function_name", f"{kind}.event")
    telling.values["target"] = text(f"{kind}.args.0.file_arg.path", f"{kind}.args.0.sock_arg.daddr") or binary
    if text(f"{kind}.action") in _DENIED:
        telling.verdict = Verdict(Outcome.FAILURE, True)
    elif kind == "process_exec":
        telling.verdict = Verdict(Outcome.SUCCESS)
    command = " ".join(part for part in (binary, text(f"{inner}.arguments")) if part)
    where = f" in pod {namespace}/{pod}" if pod else ""
    did = {"process_exec": "ran", "process_exit": "ended"}.get(kind, f"called {call or kind} with")
    who = telling.user or "someone"
    target = (
        telling.target if kind not in ("process_exec", "process_exit") and telling.target != binary else None
    )
    on = f" on {shown(target)}" if target else ""
    telling.sentence = f"{shown(who)} {did} {shown(command or 'a process')}{on}{where}"
