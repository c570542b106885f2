"""The grammar and the meaning of the query line, as the help and the man page print them."""

from __future__ import annotations

from audit_tui.core.filter.operators import OPERATORS

_SYMBOLS = dict.fromkeys(each.symbol for each in OPERATORS if not (each.is_order and each.is_negated))
GRAMMAR = """\
query   = [ any ]
any     = all { "or" all }
all     = unary { [ "and" ] unary }
unary   = ( "not" | "-" | "!" ) unary | "(" any ")" | term
term    = field op value
        | field op "(" value { ( "," | "or" ) value } ")"
        | field "="
        | value
op      = OPERATORS
field   = event | category | user | description | outcome | severity | source_ip (or ip) | target
        | source | time | seq | text | since | until | "meta." name
name    = part { "." part }
part    = characters | quoted
value   = characters | quoted
quoted  = '"' with \\" for a quote and \\\\ for a backslash '"'
""".replace("OPERATORS", " | ".join(f'"{symbol}"' for symbol in _SYMBOLS))
MEANING = (
    ("user:alice", "the whole value, in any case; * stands for any text: user:svc-*"),
    ("user=alice", "exactly this, case and all; user= means none"),
    ("description~failed", "contains, in any case"),
    ("failed", 'a word or "quoted text" alone: anywhere in the event'),
    ("user:*", "has a user; -user:* has none"),
    (
        "-user:alice",
        "not; also user!:alice, user!=alice, not user:alice; events without a user are among them",
    ),
    ("event:(Login, Logout)", "one of these; event!=(Login, Logout) none of these"),
    ("ip:10.0.0.0/8", "an address in a network; also target: and meta.NAME:"),
    (
        "severity>=high",
        "<, <=, > and >= for severity (0 to 6, or info to fatal), time, seq and numbers in meta.NAME",
    ),
    (
        "meta.request.role=admin",
        'a field of the metadata; quotes where a name has spaces: meta."Model ID":m-17',
    ),
    ("since:24h until:yesterday", "the time range; a day as until is included"),
    ("a b or c d", "(a and b) or (c and d); parentheses group"),
)
"""Examples, and what each means."""


def meaning_table(indent: str = "") -> str:
    """Return the examples and their meanings as lines of plain text, lined up."""
    width = max(len(example) for example, _ in MEANING)
    return "\n".join(f"{indent}{example:<{width}}  {meaning}" for example, meaning in MEANING)
