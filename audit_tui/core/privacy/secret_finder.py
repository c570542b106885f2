"""Finding passwords, keys and tokens in texts, by their form or by the name before them.

What is found is a guess: a pattern here is one that hardly anything else matches. The time is linear in the
text's length, whatever it holds: each pattern begins only where a word begins, and takes what it takes
without giving back. The forms of tokens are those that their issuers document.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum, StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

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


MIN_CHARS = 8
"""Nothing shorter holds a secret and says so."""
_WORD_CHARS = 12
"""Up to this many small letters and nothing else are a word."""


class SecretKind(StrEnum):
    """The kinds of secrets, as they are named to people."""

    AWS_KEY = "AWS access key"
    BEARER = "bearer token"
    CARD = "card number"
    COOKIE = "cookie"
    GITHUB = "GitHub token"
    HASH = "password hash"
    JWT = "JSON web token"
    PASSWORD = "password"  # noqa: S105 - its name
    PRIVATE_KEY = "private key"
    SLACK = "Slack token"
    TOKEN = "token"  # noqa: S105 - its name
    URL = "password in an address"


class Found(NamedTuple):
    """A secret in a text: ``text[start:end]``."""

    start: int
    end: int
    kind: SecretKind


@cache
def _forms() -> dict[str, str]:
    """The patterns by name, those of a kind of token under the kind's."""
    forms: dict[str, str] = {}
    text = Path(__file__).with_name("secret_forms.txt").read_text("utf-8")
    for name, form in (line.split(" ", 1) for line in text.split("\n") if line and line[0] != "#"):
        forms[name] = f"{forms[name]}|{form}" if name in forms else form
    tokens = "|".join(f"(?P<{kind}>{form})" for kind, form in forms.items() if kind in SecretKind.__members__)
    return forms | {"token": forms["token"].replace("{token}", tokens)}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    # When first needed: all of them are 10 ms of every start.
    return re.compile(_forms()[name])


_NO_SECRET = re.compile(
    r"[*xX•.?_-]+|value hidden.*|hmac-sha256:.*|HIDDEN_.*|\[.*\]?|<.*|\$\{?\w+\}?.*|\{\{.*|%\w*%?|@\w+@|\(.*|"
    r"null|nil|none|true|false|yes|no|ok|on|off|undefined|empty|redacted|masked|hidden|prompt|set|unset|"
    r"secret|password|token|passw(?:or)?d|unknown|invalid|valid|expired|expires|missing|required|changed|change|"
    r"reset|rotated|revoked|created|deleted|updated|disabled|enabled|incorrect|wrong|failed|failure|success|"
    r"rejected|accepted|denied|pass|passed|not|is|was|has|user|new|old|the|a|for|from|by|in|to|"
    r"arn:[\w-]+:.*|~/.*|"
    r"/(?:home|var|etc|usr|opt|tmp|root|run|srv|mnt|proc|data|app|workspace|Users)(?:/.*)?|"
    r"(?:vault|secretref|ssm|keyvault|kms|op|env|file)(?::|://).*|",
    re.IGNORECASE | re.DOTALL,
)
"""Placeholders for a secret that somebody hid, and words of sentences about secrets."""
_SHELLS = re.compile(
    r"(?i:mysql|mariadb|sshpass|mongo|psql|plink|pscp|smbclient|rdesktop|ldap|redis|7z|zip|rar|docker login)"
)
_CLIENTS = re.compile(r"(?i:curl|wget|http|lwp|aria2|ab)\b")
_BEFORE_CHARS = 200
MAX_REJECTED_CHARS = 200


def find_secrets(text: str) -> list[Found]:
    """Return the secrets in a text, in order, none overlapping another."""
    if len(text) < MIN_CHARS:
        return []
    return _without_overlaps(list(_all(text)))


def is_placeholder(value: str) -> bool:
    """Tell whether a value says that a secret was hidden, or is a word about one."""
    return _NO_SECRET.fullmatch(value) is not None


def looks_secret(name: str, value: str) -> bool:
    """Tell whether a value looks like a secret, where its name leaves that open."""
    if value.isdecimal():
        # A one-time password; other names have counts.
        return 4 <= len(value) <= 8 and name.lower().endswith(("pin", "otp"))
    return looks_random(value)


def looks_random(value: str) -> bool:
    """Tell whether a value looks as nobody writes words."""
    classes = sum(any(map(test, value)) for test in (str.isdigit, str.islower, str.isupper))
    return len(value) >= MIN_CHARS and classes >= 2 and " " not in value


def _all(text: str) -> Iterator[Found]:
    # A look for a sign is 20 times as quick as a pattern that needs it.
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    if "://" in text or ".com/" in text or ".org/" in text:
        yield from _addresses(text)
    if "=" in text or ":" in text:
        yield from _pairs(text)
    if " " in text:
        yield from _schemes(text)
        yield from _options(text)
    yield from _tokens(text)


def _tokens(text: str) -> Iterator[Found]:
    """Yield what is a secret by its own form."""
    if "$" in text:
        for match in _pattern("crypt").finditer(text):
            yield Found(*match.span(), SecretKind.HASH)
    if _pattern("long").search(text) is not None:
        for match in _pattern("token").finditer(text):
            yield Found(*match.span(), SecretKind[match.lastgroup or "TOKEN"])
        if "KIA" in text or "SIA" in text:
            for match in _pattern("inner").finditer(text):
                yield Found(*match.span(), SecretKind.AWS_KEY)
    if _pattern("digits").search(text) is not None:
        for match in _pattern("card").finditer(text):
            if _is_card(match[0]):
                yield Found(*match.span(), SecretKind.CARD)


def _private_keys(text: str) -> Iterator[Found]:
    position = 0
    while (match := _pattern("begin").search(text, position)) is not None:
        end = text.find("-----END", match.end())
        # One that is cut off is hidden up to the end.
        yield Found(match.end(), len(text) if end < 0 else end, SecretKind.PRIVATE_KEY)
        if end < 0:
            return
        position = end


def _addresses(text: str) -> Iterator[Found]:
    for match in _pattern("url").finditer(text):
        # http://host:8080/a@b has a port.
        if not re.match(r"\d{1,5}(?:[/?#]|$)", match["secret"]) and not is_placeholder(match["secret"]):
            yield Found(*match.span("secret"), SecretKind.URL)
    for match in _pattern("hook").finditer(text):
        yield Found(*match.span(match.lastgroup or 0), SecretKind.TOKEN)


def _pairs(text: str) -> Iterator[Found]:
    """Values behind a name and a sign: ``DB_PASSWORD=x``, ``"password": "x"``, ``Cookie: a=b``."""
    position = 0
    while (match := _pattern("pair").search(text, position)) is not None:
        position = match.end()
        secrecy = secrecy_of(match["name"])
        if secrecy is Secrecy.NONE:
            continue
        form = "line" if _is_cookie(match["name"]) else "quoted" if match["quote"] else "bare"
        value = _pattern(form).match(text, position)
        if value is None:
            continue
        secret = _of_pair(match, value, secrecy)
        if secret is not None:
            yield secret
            position = max(position, secret.end)
        elif len(value[0]) > MAX_REJECTED_CHARS:
            # Not looked at again: a million names in one long value would take minutes.
            position = value.end()


def _of_pair(match: re.Match[str], value: re.Match[str], secrecy: Secrecy) -> Found | None:
    name = match["name"]
    if match["sign"] == ":" and match.string[match.start() - 1 : match.start()] == ":":
        # arn:aws:secretsmanager:eu-west-1:1:secret:name
        return None
    if _is_cookie(name):
        return Found(*value.span(), SecretKind.COOKIE) if "=" in value[0] else None
    if name.lower().endswith("authorization"):
        scheme = _pattern("scheme").match(value.string, value.start())
        if scheme is not None:
            return Found(*scheme.span("secret"), SecretKind.BEARER)
    return Found(*value.span(), SecretKind.PASSWORD) if _is_value(value[0], secrecy, name, match) else None


def _is_cookie(name: str) -> bool:
    return name[-7:].lower() in ("cookies", "-cookie", "_cookie", ".cookie", "cookie")


def _is_value(value: str, secrecy: Secrecy, name: str, match: re.Match[str]) -> bool:
    bare = value.rstrip(".!?")
    if len(bare) < 4 or is_placeholder(bare):
        return False
    if match["quote"]:
        return secrecy is Secrecy.SURE or looks_secret(name, bare)
    if secrecy is Secrecy.MAYBE and not looks_secret(name, bare):
        return False
    is_word = bare.isalpha() and bare.islower() and len(bare) <= _WORD_CHARS
    # A space behind the sign, as in a sentence or in YAML.
    is_prose = match["sign"] == ":" and match[0][-1:].isspace()
    is_password = "pass" in name.lower() or "pw" in name.lower()
    if is_word and (is_prose or not is_password):
        # "token: expired", "secret=rotated"; but "password=hunter" is one.
        return False
    return not bare.startswith("//")


def _schemes(text: str) -> Iterator[Found]:
    """``Authorization: Bearer x``, also without the name before it."""
    for match in _pattern("scheme").finditer(text):
        secret, scheme = match["secret"], match[0].split(" ", 1)[0].lower()
        if scheme == "basic":
            is_one = _is_login(secret)
        else:
            is_one = len(secret) >= 16 and looks_random(secret) and scheme != "token"
            is_one = is_one or (len(secret) >= 24 and any(map(str.isdigit, secret)) and "/" not in secret)
        if is_one and not is_placeholder(secret):
            yield Found(*match.span("secret"), SecretKind.BEARER)


def _is_login(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _options(text: str) -> Iterator[Found]:
    """Options of commands: ``--password x``, ``mysql -px``, ``curl -u alice:x``."""
    if " -" not in text and not text.startswith("-"):
        return
    for match in _pattern("option").finditer(text):
        if secrecy_of(match["name"]) is Secrecy.NONE:
            continue
        value = _pattern("quoted" if match["quote"] else "bare").match(text, match.end())
        if value is None or value[0].startswith("-") or len(value[0]) < 4 or is_placeholder(value[0]):
            continue
        if secrecy_of(match["name"]) is Secrecy.SURE or looks_secret(match["name"], value[0]):
            yield Found(*value.span(), SecretKind.PASSWORD)
    for name, programs in (("short", _SHELLS), ("login", _CLIENTS)):
        matches = list(_pattern(name).finditer(text))
        places = [match.start() for match in programs.finditer(text)] if matches else []
        for match in matches:
            before = bisect_left(places, match.start())
            is_near = before > 0 and places[before - 1] >= match.start() - _BEFORE_CHARS
            is_number = match["secret"].isdecimal() and len(match["secret"]) <= 5
            if is_near and not is_number and not is_placeholder(match["secret"]):
                yield Found(*match.span("secret"), SecretKind.PASSWORD)


def _is_card(text: str) -> bool:
    """Tell whether the digits have a card's length and check digit (ISO/IEC 7812-1, Luhn)."""
    digits = [int(character) for character in text if character.isdigit()]
    is_grouped = not text.isdecimal()
    if len(digits) not in (15, 16) or (len(set(digits)) < 4 and not is_grouped):
        return False
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _without_overlaps(matches: list[Found]) -> list[Found]:
    distinct: list[Found] = []
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if not distinct or match.start >= distinct[-1].end:
            distinct.append(match)
        elif match.end > distinct[-1].end:
            distinct[-1] = distinct[-1]._replace(end=match.end)
    return distinct
