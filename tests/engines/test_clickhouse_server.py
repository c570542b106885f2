"""ClickHouse over its own HTTP: whoever is refused, deceived or left waiting is told in a plain line."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from audit_tui.engines import clickhouse
from tests.cli.running import run
from tests.engines.shared import append
from tests.store.samples import EVENTS

pytest.importorskip("chdb")
from tests.engines.clickhouse_server import clickhouse_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engines.clickhouse_server import _Server

SECRET = "h0rse-battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    folder = tmp_path_factory.mktemp("over_http")
    path = folder / "audit.db"
    append(path, EVENTS)
    with clickhouse_server(folder) as server:
        shipped = run("ship", str(path), "--to", server.url(), "--name", "web-1")
        assert shipped.exit_code == 0, shipped.stderr
        assert "Sent 90 events" in shipped.stderr
        yield server


@pytest.fixture(autouse=True)
def whole(server: _Server) -> Iterator[None]:
    """Every test begins and ends with a server without faults."""
    yield
    faults = server.faults
    faults.password, faults.error, faults.breaks_after, faults.is_silent = None, "", None, False


def told(url: str) -> str:
    """The one line with which a command ends that cannot read."""
    result = run("count", "-s", url, "--range", "all-time")
    assert result.exit_code == 3, result.output
    assert result.stdout == ""
    assert SECRET not in result.output
    assert "Traceback" not in result.stderr
    return str(result.stderr)


def test_every_command_reads_over_http(server: _Server) -> None:
    url = server.url()
    assert run("count", "-s", url, "--range", "all-time").stdout == "90\n"
    assert run("verify", "-s", url).exit_code == 0
    assert run("query", "user=bob", "-s", url, "--range", "all-time").exit_code == 0
    assert run("facets", "user", "-s", url, "--range", "all-time").exit_code == 0


def test_whole_events_are_read_over_http(server: _Server, tmp_path: Path) -> None:
    url = server.url()
    shown = run("query", "--limit", "0", "--format", "jsonl", "-s", url, "--range", "all-time")
    assert len(shown.stdout.splitlines()) == 90, shown.stderr
    exported = run("export", str(tmp_path / "all.jsonl"), "-s", url, "--range", "all-time")
    assert exported.exit_code == 0, exported.stderr
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 90
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "title: Anything of bob\nlogsource: {product: audit-tui}\n"
        "detection: {one: {user: bob}, condition: one}\nlevel: low\n"
    )
    detected = run("detect", str(rule), "-s", url, "--range", "all-time")
    assert "Anything of bob" in detected.stdout, detected.output


def test_a_wrong_password_is_refused_and_not_repeated(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults.password = SECRET
    right = run("count", "-s", server.url(password=SECRET), "--range", "all-time")
    assert right.stdout == "90\n", right.stderr
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", SECRET)
    assert run("count", "-s", server.url(), "--range", "all-time").stdout == "90\n"
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", f"{SECRET}-old")
    words = told(server.url())
    assert "Authentication failed" in words
    assert "CLICKHOUSE_PASSWORD" in words
    monkeypatch.delenv("CLICKHOUSE_PASSWORD")
    server.faults.password = "another"
    assert "Authentication failed" in told(server.url(password=SECRET))


def test_an_error_of_the_server_is_told_in_one_line(server: _Server) -> None:
    server.faults.error = (
        f"Code: 241. DB::Exception: Memory limit exceeded: would use 9 GiB for {server.url(password=SECRET)}."
        " (MEMORY_LIMIT_EXCEEDED)\nStack trace: 0. 1. 2."
    )
    words = told(server.url(password=SECRET))
    assert "Memory limit exceeded" in words
    assert "Stack trace" not in words


@pytest.mark.parametrize("after", [0, 1, 20])
def test_a_stream_that_breaks_is_a_lost_connection(server: _Server, after: int) -> None:
    server.faults.breaks_after = after
    words = told(server.url(password=SECRET))
    assert "cannot be reached" in words
    assert len(words) < 300


def test_a_server_that_does_not_answer_is_given_up(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse, "ANSWER_TIMEOUT_S", 1)
    server.faults.is_silent = True
    assert "did not answer within 1 s" in told(server.url(password=SECRET))


def test_a_shipper_whose_stream_breaks_sends_the_rest_later(server: _Server, tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    append(path, EVENTS[:30])
    server.faults.error = "Code: 252. DB::Exception: Too many parts (TOO_MANY_PARTS)"
    refused = run("ship", str(path), "--to", server.url(password=SECRET), "--name", "web-2")
    assert refused.exit_code == 3
    assert "Too many parts" in refused.stderr
    assert SECRET not in refused.output
    server.faults.error = ""
    assert run("ship", str(path), "--to", server.url(), "--name", "web-2").exit_code == 0
    assert run("count", "source:web-2", "-s", server.url(), "--range", "all-time").stdout == "30\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that signed itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    name = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *words.split(), *name, *files], check=True, capture_output=True)
    return folder


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    path = tmp_path / "audit.db"
    append(path, EVENTS[:20])
    with clickhouse_server(tmp_path, context) as server:
        refused = told(server.url(password=SECRET, options="?secure=true", host="localhost"))
        assert "certificate" in refused
        assert "ca_cert" in refused
        assert len(refused) < 400
        for options in (f"?secure=true&ca_cert={certificate / 'cert.pem'}", "?secure=true&verify=false"):
            url = server.url(password=SECRET, options=options, host="localhost")
            assert run("ship", str(path), "--to", url).exit_code == 0
            counted = run("count", "-s", url, "--range", "all-time")
            assert counted.stdout == "20\n", counted.stderr
        # Without TLS, to a server that speaks nothing else.
        plain = server.url(password=SECRET, options="?secure=false", host="localhost")
        assert "cannot be reached" in told(plain)
