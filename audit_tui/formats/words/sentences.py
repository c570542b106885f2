"""Sentences that a person would write, out of names like ``DeleteBucket`` and ``user.created``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from audit_tui.core.event import Outcome

MAX_REASON_CHARS = 200

_WORD = re.compile(r"OAuth|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+|[^\W\d_]+")
_RESULT = re.compile(r"[._ -](failed|failure|succeeded|success)\Z", re.IGNORECASE)
_API_VERSION = re.compile(r"20\d{6}(v\d+)?\Z|_?v\d\Z", re.IGNORECASE)
_ACRONYMS = {
    word.lower(): word
    for word in (
        "ACL", "ACLs", "API", "CORS", "CPU", "DB", "DHCP", "DNS", "HTTP", "IAM", "ID", "IDs", "IP", "KMS",
        "MFA", "NAT", "OAuth", "OIDC", "SAML", "SCIM", "SCP", "SSH", "SSL", "SSO", "TLS", "URL", "VPC",
        "VPCs", "VPN",
    )
}  # fmt: skip
_PAST = {
    "be": "was", "begin": "began", "bind": "bound", "build": "built", "come": "came", "find": "found",
    "forget": "forgot", "get": "got", "give": "gave", "have": "had", "head": "checked", "hide": "hid",
    "leave": "left", "login": "logged in", "logoff": "logged off", "logon": "logged on",
    "logout": "logged out", "lookup": "looked up", "make": "made", "override": "overrode", "put": "put",
    "read": "read", "reset": "reset", "run": "ran", "send": "sent", "set": "set", "show": "showed",
    "signin": "signed in", "signout": "signed out", "signup": "signed up", "take": "took", "undo": "undid",
    "withdraw": "withdrew", "write": "wrote",
}  # fmt: skip
_PLAIN = {
    "head": "check", "login": "log in", "logoff": "log off", "logon": "log on", "logout": "log out",
    "lookup": "look up", "signin": "sign in", "signout": "sign out", "signup": "sign up",
}  # fmt: skip
_DOUBLED_WORDS = """
admit ban commit drop log map permit pin plan refer scan ship stop submit swap tag transfer unban unmap
unpin untag
"""
_OTHER_WORDS = """
abort accept access activate add allocate allow apply approve archive assign associate assume attach
authenticate authorize block cancel change check clone close complete configure confirm connect consent
copy create deactivate decline decrypt delete deny deploy deprecate deregister describe destroy detach
disable disassociate disconnect discover dismiss download edit elevate enable encrypt end enroll estimate
evaluate execute expire export fetch filter force generate grant import initiate insert install invite
invoke issue join kill launch link list lock manage mark merge migrate modify move mute notify open
override patch pause perform post preview promote provision publish purge push query reactivate reboot
receive recycle record refresh register reject release remove rename renew reopen replace report request
resend resize resolve restart restore resume retrieve retry revoke rotate save schedule search select
share sign simulate skip start subscribe suspend switch sync terminate test trash trigger unarchive
unassign unblock undelete undeploy unenroll uninstall unlink unlock unmute unpublish unshare unsubscribe
unsuspend untrash update upgrade upload use validate verify view
"""
_UNCOUNTED = (
    "ing",
    "data",
    "information",
    "access",
    "SAML",
    "SSO",
    " security",
    " protection",
    " authentication",
)
_MAKER_WORDS = "add allocate create generate initiate invite issue register request run send start upload"
_DOUBLED = frozenset(_DOUBLED_WORDS.split())
_VERBS = frozenset(_OTHER_WORDS.split()) | _DOUBLED | _PAST.keys()
_MAKERS = frozenset(_MAKER_WORDS.split())
_PREPOSITIONS = {
    "add": "to", "apply": "to", "associate": "with", "attach": "to", "authorize": "for", "create": "for",
    "detach": "from", "disassociate": "from", "enable": "for", "disable": "for", "generate": "for",
    "grant": "to", "put": "on", "remove": "from", "revoke": "for", "run": "in", "send": "to", "start": "on",
    "stop": "on",
}  # fmt: skip
JOINTS = frozenset({"to", "from", "for", "with", "by"})
"""Words inside a name that divide it: AddUserToGroup."""


class Act(NamedTuple):
    """What a name says: a verb and the words of what it is done to."""

    verb: str
    noun: tuple[str, ...]
    """In lower case but for acronyms; empty when the verb says it all."""

    @property
    def past(self) -> str:
        """The verb as it is told of the past."""
        return past_tense(self.verb)

    @property
    def plain(self) -> str:
        """The verb after "to"."""
        return _PLAIN.get(self.verb, self.verb)

    @property
    def preposition(self) -> str:
        """The word between what is done and whom it is done to."""
        return _PREPOSITIONS.get(self.verb, "of")

    def phrase(self) -> str:
        """The noun with its article."""
        if not self.noun:
            return ""
        noun = " ".join(self.noun)
        is_plural = noun.lower().endswith("s") and not noun.endswith(("ss", "us", "is"))
        if is_plural or noun.endswith(_UNCOUNTED):
            return noun
        if self.verb not in _MAKERS:
            return f"the {noun}"
        sounds_open = noun[0] in "aeioAEIO" or noun[:2] in ("SS", "MF", "HT")
        return f"an {noun}" if sounds_open else f"a {noun}"


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in any spelling, in lower case but for acronyms."""
    words = _WORD.findall(_API_VERSION.sub("", name))
    return tuple(
        _ACRONYMS.get(word.lower(), word if word.isupper() and len(word) > 1 else word.lower())
        for word in words
    )


@lru_cache(maxsize=4_096)
def act_of(name: str) -> Act | None:
    """A name that begins with a verb (``DeleteBucket``, ``delete_bucket``), understood; else None."""
    words = tuple(_spoken(name))
    if len(words) > 2 and words[0] in ("batch", "admin"):
        words = words[1:]
    if len(words) > 1 and words[0] + words[1] in _PLAIN:
        words = (words[0] + words[1], *words[2:])  # "sign in" is one verb, as "login" is
    if not words or words[0] not in _VERBS:
        return None
    return Act(words[0], words[1:])


def _spoken(name: str) -> tuple[str, ...]:
    # An ALL_CAPS name shouts: it holds no acronyms that could be told apart.
    return words_of(name.lower() if name.isupper() else name)


def past_tense(verb: str) -> str:
    """The past of a verb: the irregular ones of audit logs, and the rule."""
    if verb in _PAST:
        return _PAST[verb]
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2:-1] not in tuple("aeou"):
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


_VERB_OF_PAST = {past_tense(verb): verb for verb in sorted(_VERBS)}


def verb_of_past(word: str) -> str | None:
    """The verb of which a word is the past: ``created`` is of ``create``; None when we know none."""
    return _VERB_OF_PAST.get(word)


@cache
def _plain_by_past() -> dict[str, str]:
    return {past_tense(verb): verb for verb in sorted(_VERBS)}


def plain_of(past: str) -> str | None:
    """The verb whose past this is: ``opened`` gives ``open``; None when it is of none that is known."""
    verb = _plain_by_past().get(past)
    return None if verb is None else _PLAIN.get(verb, verb)


def singular(word: str) -> str:
    """One of several things, roughly: policies, addresses, buckets."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def told(who: str, past: str, plain: str, rest: str, outcome: Outcome, *, is_denied: bool = False) -> str:
    """Somebody did, failed to do, or was not allowed to do something."""
    what = f" {rest}" if rest else ""
    if is_denied:
        return f"{who} was not allowed to {plain}{what}"
    if outcome is Outcome.FAILURE:
        return f"{who} failed to {plain}{what}"
    return f"{who} {past}{what}"


def with_reason(sentence: str, reason: str | None) -> str:
    """A sentence with why it ended so, cut where it becomes a dump."""
    if not reason:
        return sentence
    text = " ".join(reason.split())
    if len(text) > MAX_REASON_CHARS:
        text = f"{text[: MAX_REASON_CHARS - 1].rstrip()}…"
    return f"{sentence}: {text}"


@lru_cache(maxsize=4_096)
def _participle_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """``user.created`` as ("created", ("user",)); None when it does not end so."""
    words = _spoken(name)
    if len(words) < 2 or not (words[-1].endswith("ed") or words[-1] in _PAST.values()):
        return None
    return words[-1], words[:-1]


def act_sentence(user: str | None, event: str, target: str | None, outcome: Outcome) -> str | None:
    """A description for a record that has none, from its other columns.

    None when there is nothing to add to the event's name.
    """
    who = user or "someone"
    act = act_of(_RESULT.sub("", event))
    if act is not None:
        rest = act.phrase()
        if target is not None:
            rest = f"{' '.join(act.noun)} {target}".strip()
        return told(who, act.past, act.plain, rest, outcome)
    if user is None and target is None:
        return None
    done = _participle_of(event)
    if done is not None and outcome is not Outcome.FAILURE:
        past, noun = done
        if target is None:
            return f"{who} {past} {Act(verb_of_past(past) or past, noun).phrase()}"
        joint = " on" if noun[-1].endswith("s") else ""
        return f"{who} {past} {' '.join(noun)}{joint} {target}"
    on = f" on {target}" if target else ""
    failed = " failed" if outcome is Outcome.FAILURE else ""
    by = f" by {user}" if user else ""
    return f"{event}{by}{on}{failed}"
