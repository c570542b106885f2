"""Names in texts: found in each form in which they stand there, and nothing else is."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.privacy import name_finder
from audit_tui.core.privacy.name_finder import NameFinder, PartKind, is_name
from audit_tui.core.privacy.pseudonyms import Pseudonyms
from tests.timing import is_linear

KEY = bytes(range(32))
USERS = (
    "zoe.quartz@acme.io", "Zoe Quartz", "ACME\\zquartz", "zquartz", "user-1042", "ip-10-0-0-7", "1042",
    "Zoë", "王伟", "arn:aws:iam::1:user/yan", "bob", "x-9", "dana_smith", "mark.will@acme.io",
)  # fmt: skip
NAMES = Pseudonyms(KEY, USERS)
SIGNS = st.text(st.sampled_from(" .,:;/\\-_=()[]{}\"'@<>|&?#"), max_size=3)


def packed(name: str) -> str:
    return base64.b64encode(f"user={name};".encode()).decode()


FORMS = (
    str,
    str.upper,
    str.title,
    lambda name: quote(name, safe=""),
    lambda name: quote(quote(name, safe=""), safe=""),
    lambda name: "".join(f"%{byte:02X}" for byte in name.encode()),
    lambda name: "".join(f"\\u{ord(character):04x}" for character in name),
    lambda name: name.replace(".", " ").replace("_", " "),
    lambda name: name.replace(".", "_"),
    packed,
    lambda name: f"user={name};".encode().hex(),
)


def is_hidden(text: str, *names: str) -> bool:
    shown = (NAMES.text(text) or "").casefold()
    return not any(name.casefold() in shown for name in names)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [user for user in USERS if user.isascii()])
def test_every_form_of_a_name_is_hidden(form: object, name: str) -> None:
    assert callable(form)
    text = f"for {form(name)}, done"
    shown = NAMES.text(text)
    assert shown is not None
    assert form(name) not in shown
    assert shown.startswith("for ")
    assert shown.endswith(", done")
    assert "user-" in shown or "ip-" in shown


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("read /home/zoe.quartz/secret.txt of zoe.quartz", "zoe quartz"),
        ("CN=zoe.quartz,OU=x arn:aws:iam::1:user/zoe.quartz", "zoe quartz"),
        ("https://x/?u=zoe.quartz%40acme.io&z=1", "zoe quartz"),
        ("Zoe  Quartz invited Zoe and Quartz", "zoe quartz"),
        ("s3://zoe-bucket/quartz_laptop", "zoe quartz"),
        ("session of zquartz; (zquartz) zquartz-pc zquartz's Zquartz", "zquartz"),
        ("user 1042 did 1042 things", "1042"),
        ("user-1042 from ip-10-0-0-7", "1042 10-0-0"),
        ("yan took arn:aws:sts::1:assumed-role/yan", "yan"),
        ("用户王伟登录", "王伟"),
        ("Zoe\u0308 and zo\u00eb", "zo\u00eb zoe\u0308"),
        ("bob_backup bob2 bob", "bob_"),
        ("mail dave+x@sub.acme.io: sent", "dave acme"),
        ("call +49 170 5551234 now", "555"),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329 and 2001:db8::77.", "0042 77"),
        ("[fe80::1ff:fe23:4567:890a%eth0]:443 ::ffff:10.1.2.3", "fe80 10.1"),
        ("10.1.1.1:55321 a:10.2.2.2 10.3.3.3.txt x10.4.4.4", "10.1 10.2 10.3 10.4"),
        ("aa:bb:cc:dd:ee:ff AA-BB-CC-DD-EE-FF ip-10-9-9-9.ec2.internal", "bb:cc bb-cc 10-9"),
    ],
)
def test_what_is_hidden(text: str, hidden: str) -> None:
    assert is_hidden(text, *hidden.split())


@pytest.mark.parametrize(
    "text",
    [
        "bobsled at 12:30:45 of v1.2.3, Chrome/120.0.0.0, std::vector, 2026-11-01T12:30:45 13:30:45",
        "he will mark it; a mark.",
        "Role created: admin, service, test-user",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 100% of %41",
        "+1 -2 1-2-3-4 :: a:b",
        "",
    ],
)
def test_what_is_left_as_it_is(text: str) -> None:
    assert NAMES.text(text) == text


def test_a_part_of_a_name_has_the_pseudonym_of_the_name() -> None:
    names = Pseudonyms(KEY, ["zoe.quartz@acme.io"])
    zoe = names.user("zoe.quartz@acme.io")
    assert zoe == names.user("ZOE.Quartz@acme.io")
    assert names.text("of zoe.quartz in ZOE.QUARTZ@ACME.IO") == f"of {zoe} in {zoe}"
    # Of two domains it is nobody's alone, and the same whoever is known.
    two = Pseudonyms(KEY, ["kim@a.io", "kim@b.io"])
    assert two.text("kim") == Pseudonyms(KEY, ["kim@b.io", "kim@a.io", "kim@c.io"]).text("kim")
    assert two.text("kim") not in ("kim", two.user("kim@a.io"), two.user("kim@b.io"))


@given(st.sampled_from(USERS), SIGNS, SIGNS, st.sampled_from(FORMS[:3]))
def test_no_sign_around_a_name_shows_it(name: str, before: str, after: str, form: object) -> None:
    assert callable(form)
    text = f"x{before or ' '}{form(name)}{after or ' '}x"
    assert is_hidden(text, name), NAMES.text(text)


@given(st.lists(st.text(min_size=2, max_size=12), max_size=6), st.text(max_size=60))
def test_any_user_at_all_is_hidden_and_nothing_fails(users: list[str], text: str) -> None:
    names = Pseudonyms(KEY, users)
    names.text(text)
    for user in users:
        shown = names.text(f"by <{user}>!")
        assert shown is not None
        if is_name(user) and any(character.isalpha() for character in user):
            assert user not in re.sub("user-[a-z2-7]{6}", "", shown), (user, shown)


def test_a_name_with_percent_signs_is_hidden_as_it_is_and_decoded() -> None:
    names = Pseudonyms(KEY, ["%0A", "%0a%0a", "dom%5Czoe", "a%20quartz"])
    zoe = names.user("dom%5Czoe")
    assert names.text("by <%0A>!") == f"by <%{names.user('%0A')}>!"
    assert names.text(r"by dom%5Czoe, dom\zoe.") == f"by {zoe}, {zoe}."
    hidden = names.user("a%20quartz")
    assert names.text("A Quartz, a%20quartz") == f"{hidden}, {hidden}"
    assert names.text("two\n\nlines") == "two\n\nlines"


@pytest.mark.parametrize(
    "piece",
    [
        "a:",
        "1.",
        "a.b+c-",
        "a@b.",
        "a" * 64 + "@",
        "alice ",
        "%25",
        "\\u005c",
        "QUJD",
        "+1 ",
        "ip-1-1-",
        "王",
        "::",
    ],
)
def test_the_time_is_linear_in_the_length(piece: str) -> None:
    assert is_linear(NAMES.text, piece, 20_000)


def test_many_odd_names_of_users_do_not_slow_down_a_text() -> None:
    few, many = NameFinder(), NameFinder()
    for finder, names in ((few, 100), (many, 20_000)):
        for number in range(names):
            finder.add(f"a     b{number}")
    assert is_linear(lambda text: (few if len(text) < 10_000 else many).parts(text), "a banana ", 1_000)


@given(
    st.lists(st.text("ab%", min_size=1, max_size=5), min_size=1),
    st.text("ab% ", max_size=20),
    st.integers(0, 80),
)
def test_the_longest_of_odd_names_is_found_where_it_begins(names: list[str], text: str, more: int) -> None:
    finder = name_finder._Beginnings()
    long = ["a" * more + name for name in names]
    for name in (*names, *long):
        finder.add(name, name)
    whole = text + "a" * more + text
    for place in range(len(whole)):
        wanted = max((n for n in finder.names if whole.startswith(n, place)), key=len, default=None)
        assert finder.at(whole, place) == wanted


def test_a_text_that_was_shown_before_loses_an_odd_name_that_is_learned() -> None:
    names = Pseudonyms(KEY, ["€€"])
    assert names.text("by €%€") == "by €%€"
    names.learn(["€%€"])
    assert "€%€" not in (names.text("by €%€") or "")


def test_names_behind_the_most_are_found_by_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_finder, "MAX_NAMES", 2)
    finder = NameFinder()
    names = ["a1@x.io", "b2", "zoe.quartz@acme.io", "Max Holm", "user-77", "4711", "王秀英"]
    assert [finder.add(name) for name in names] == [True] * 2 + [False] * 5
    text = "b2, /home/zoe.quartz, ZOE.QUARTZ%40acme.io, Quartz, Holm, max_holm and USER-77 of 王秀英"
    parts = finder.parts(text)
    assert parts is not None
    shown = "".join(part.text if part.kind is PartKind.PLAIN else "#" for part in parts)
    assert shown == "#, /home/#, #, #, #, # and # of #"
    assert finder.has_number(4711)
    assert not finder.has_number(4712)
    assert finder.parts("nobody else is here, not even a builder of houses") is None
