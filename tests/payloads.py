"""Texts that an attacker writes into a log so that the reader's terminal obeys, or the program falls."""

from __future__ import annotations

import re

PAYLOADS = (
    "\x1b[31mred",
    "\x1b]0;pwned\x07",
    "\x1b]0;unterminated",
    "\x1b]2;title\x1b\\",
    "\x1b]4;1;rgb:ff/00/00\x07",
    "\x1b]7;file://evil/\x07",
    "\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]9;notify\x07",
    "\x1b]50;?\x07",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x1b]52;c;?\x07",
    "\x1b]1337;File=:AAAA\x07",
    "\x1b_Gf=24;AAAA\x1b\\",
    "\x1bP0;1|17/41\x1b\\",
    "\x1b#8",
    "\x1b[2J\x1b[H",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[21t",
    "\x1b[?1049l",
    "\x1b[1;1;1;1;1;1*y",
    "\x1bP$q\x22p\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1bXsos\x1b\\",
    "\x1bc",
    "\x05enq",
    "\x9b31mC1",
    "\x9d0;c1 osc\x9c",
    "\x90dcs\x9c",
    "nul\x00inside",
    "bel\x07bs\x08del\x7f",
    "line\r\nforged\x0bline\x0cfeed\x85nel",
    "tab\tbed",
    "rtl\u202eevil\u202c",
    "\u2066isolate\u2069\u200f\u061c",
    "zero\u200bwidth\u200d\ufeff\u00ad",
    "sep\u2028para\u2029",
    "tag\U000e0041\U000e007f",
    "lone\ud800surrogate",
    "[bold]markup[/bold][@click=app.quit]x[/]",
    "[/nope]",
    "[link=http://x]$variable [$primary]",
    "wide 漢字 🎉 e" + "\u0301" * 50,
    "=cmd|' /C calc'!A0",
    "%s%n{0}{self}\\x1b",
)

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
"""Characters that no line of the screen may hold: written out apart from the program's own list."""
