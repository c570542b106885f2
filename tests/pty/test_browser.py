"""A case file in a real browser: wide and narrow, light and dark, hostile content; skipped without one."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.investigate.notebook import Search
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.time.zones import zone_named
from audit_tui.output.case import Case, Exhibit, Timeline, case_text
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.skipif(BROWSER is None, reason="no browser"), pytest.mark.timeout(300)]
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
NOW_US = to_us(NOW)
LONG = "arn:aws:iam::123456789012:role/" + "very-long-name-without-a-space-" * 12
MARKUP = "<script>document.title = 'pwned'</script><img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A case of hostile and of very long texts."""
    texts = ["Role assigned", LONG, MARKUP, *(text for text in PAYLOADS if text.isascii())][:12]
    exhibits = tuple(
        Exhibit(
            AuditEvent(
                text,
                NOW_US - number * 60_000_000,
                key=f"k{number}",
                seq=number,
                user=text,
                description=text,
                target=LONG,
                outcome=Outcome.FAILURE if number % 2 else Outcome.SUCCESS,
                metadata={text: LONG},
            ),
            MARKUP if number == 2 else "",
        )
        for number, text in enumerate(texts, 1)
    )
    case = Case(
        "Night of the 22nd",
        TimeContext(zone_named("UTC"), NOW, 0),
        "audit.db",
        "0a1b",
        "verified up to 12",
        exhibits,
        (Search("Shown last", f'user:"{LONG}"', "av1:" + "A" * 300),),
        Timeline(NOW_US - 3_600_000_000, NOW_US + 60_000_000, tuple(range(120))),
    )
    path = tmp_path / "case.html"
    path.write_text(case_text(case, "html"))
    return path


def run(page: Path, *options: str) -> str:
    """Run the browser without a window, and return what it prints."""
    assert BROWSER is not None
    profile = page.parent / "profile"
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *options]
    ended = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    return ended.stdout


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_window(page: Path, width: int) -> None:
    text = page.read_text()
    measured = page.with_name("measured.html")
    # Only this copy may run a script: it measures.
    without_policy = re.sub(r"<meta http-equiv[^>]*>", "", text)
    # A window is at least 500 wide there: a frame is as narrow as it is told.
    frame = page.with_name("frame.html")
    script = "<script>document.title = document.documentElement.scrollWidth</script></body>"
    measured.write_text(without_policy.replace("</body>", script))
    frame.write_text(
        f'<iframe id="f" src="{measured.name}" style="border:0;width:{width}px;height:800px"></iframe>'
        "<script>onload = () => { document.body.append('width ' +"
        " document.getElementById('f').contentDocument.title) }</script>"
    )
    options = ("--allow-file-access-from-files", "--window-size=1400,900", "--dump-dom")
    match = re.search(r"width (\d+)", run(frame, *options))
    assert match is not None
    assert 0 < int(match[1]) <= width


@pytest.mark.parametrize("is_dark", [False, True])
def test_it_is_drawn_light_and_dark(page: Path, *, is_dark: bool) -> None:
    picture = page.with_name("page.png")
    dark = ["--blink-settings=preferredColorScheme=0"] if is_dark else []
    run(page, f"--screenshot={picture}", "--window-size=1280,900", *dark)
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 20_000, "there is something on it"


def test_no_text_runs_and_nothing_is_loaded(page: Path) -> None:
    dom = run(page, "--dump-dom")
    assert "<title>Night of the 22nd</title>" in dom
    assert "pwned" in dom
    assert "<script" not in dom
    assert "<img" not in dom
    assert dom.count("<article") == 12
