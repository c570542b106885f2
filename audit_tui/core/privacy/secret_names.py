"""Names of fields and options whose value is a secret, by their words: ``newPassword``, ``DB_PASSWORD``."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

MAX_NAME_CHARS = 100
"""A longer name is not a name: a hostile log could fill the memory with them."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_SECRETS = frozenset(
    ("password", "passwd", "passwort", "pwd", "passphrase", "passcode", "secret", "token", "authtoken",
     "accesstoken", "sessiontoken", "refreshtoken", "idtoken", "apikey", "secretkey", "accesskey",
     "privatekey", "credential", "credentials", "cookie", "cookies", "authorization", "jwt",
     "connectionstring", "pw", "clientsecret", "authkey", "phpsessid", "jsessionid", "sessionid", "mdp",
     "contrasena", "senha")
)  # fmt: skip
"""Words that, standing last in a name, make the value a secret whatever it looks like."""
_ENDINGS = ("password", "passwd", "passphrase", "apikey")
_PAIRS = frozenset(
    (f"{first} {second}" for firsts, seconds in (
        ("api access secret private account shared encryption signing master auth session storage", "key"),
        ("connection", "string"),
        ("recovery backup verification", "code codes"),
        ("pass", "word phrase"),
    ) for first in firsts.split() for second in seconds.split())
)  # fmt: skip
_MAYBE = frozenset(
    ("pass", "auth", "signature", "sig", "pin", "otp", "totp", "webhook", "bearer", "nonce",
     "hmac", "secrets", "tokens", "passwords", "csrf", "xsrf", "sas", "creds")
)  # fmt: skip
"""The same, if the value looks like one: an authentication that succeeded is none."""
_AROUND = frozenset(
    ("value", "text", "plain", "plaintext", "raw", "base", "data", "encoded", "encrypted", "current",
     "new", "old", "confirm", "confirmation", "again", "repeat", "hash", "digest")
)  # fmt: skip
"""Words that may stand behind, as numbers may; any other, as in ``tokenCount``, makes it something else."""


_REPEATS = frozenset({"request", "next", "client", "continuation", "page", "idempotency", "sync", "cursor"})
"""Tokens that only tell one request, or one page, from another."""
_COUNTS = frozenset({"max", "min", "num", "total", "is", "has", "no", "use", "allow", "require"})
"""Words that, standing first, make it a number or a switch."""


class Secrecy(Enum):
    """The degrees to which a name makes its value a secret."""

    NONE = "none"
    MAYBE = "maybe"
    """It is a secret if it looks like one."""
    SURE = "sure"


def secrecy_of(name: str) -> Secrecy:
    """Return what a field's name says of its value."""
    return _secrecy(name) if len(name) <= MAX_NAME_CHARS else Secrecy.NONE


@lru_cache(maxsize=20_000)
def _secrecy(name: str) -> Secrecy:
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _AROUND or words[-1].isdecimal()):
        words.pop()
    if not words or words[0] in _COUNTS:
        return Secrecy.NONE
    if words[-1] == "token" and words[-2:-1] and words[-2] in _REPEATS:
        return Secrecy.NONE
    if words[-1] in _SECRETS or words[-1].endswith(_ENDINGS) or " ".join(words[-2:]) in _PAIRS:
        return Secrecy.SURE
    return Secrecy.MAYBE if words[-1] in _MAYBE else Secrecy.NONE
