"""Recording what a program logs: how a record becomes an event, and that the program never notices."""

from __future__ import annotations

import inspect
import logging
import logging.config
import logging.handlers
import queue
import sys
import traceback
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui import AuditLog, AuditLogHandler
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.query import EventQuery
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.log_handler import severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of which nothing is left behind."""
    logger = logging.getLogger("billing.refunds")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def handler(path: Path, logger: logging.Logger) -> AuditLogHandler:
    handler = AuditLogHandler(path)
    logger.addHandler(handler)
    return handler


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the message of each record that could not be recorded."""
    failed: list[str] = []
    monkeypatch.setattr(AuditLogHandler, "handleError", lambda _, record: failed.append(str(record.msg)))
    return failed


def stored(path: Path) -> list[AuditEvent]:
    with StoreReader(path) as reader:
        return sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def test_a_log_record_becomes_an_event(path: Path, logger: logging.Logger, handler: AuditLogHandler) -> None:
    before = to_us(datetime.now(UTC))
    logger.warning("refund of %d refused", 5)
    handler.close()
    (event,) = stored(path)
    assert before <= event.occurred_us <= to_us(datetime.now(UTC))
    assert event == AuditEvent(
        event="billing.refunds",
        occurred_us=event.occurred_us,
        key=event.key,
        description="refund of 5 refused",
        severity=3,
        source="billing.refunds",
        seq=1,
    )


def test_what_is_known_better_is_handed_over(
    path: Path, logger: logging.Logger, handler: AuditLogHandler
) -> None:
    moment = datetime(2026, 11, 1, 14, 0, tzinfo=UTC)
    logger.info(
        "logged in",
        extra={
            "audit": {
                "event": "Login",
                "user": "bob",
                "outcome": "failure",
                "severity": 4,
                "occurred_at": moment,
                "key": "k",
                "source": "portal",
                "metadata": {"IP Address": "10.0.0.1", "User ID": "u-1"},
                "Email ID": "bob@acme.io",
            }
        },
    )
    handler.close()
    assert stored(path) == [
        AuditEvent(
            event="Login",
            occurred_us=to_us(moment),
            key="k",
            category="Login/Logout",
            user="bob",
            description="logged in",
            outcome=Outcome.FAILURE,
            severity=4,
            source_ip="10.0.0.1",
            target="bob@acme.io",
            source="portal",
            metadata={"Email ID": "bob@acme.io", "IP Address": "10.0.0.1", "User ID": "u-1"},
            seq=1,
        )
    ]


def test_the_name_alone_will_do(path: Path, logger: logging.Logger, handler: AuditLogHandler) -> None:
    logger.error("x", extra={"audit": "Role deleted"})
    logger.error("x", extra={"audit": None})
    handler.close()
    assert [(event.event, event.category) for event in stored(path)] == [
        ("Role deleted", "Roles"),
        ("billing.refunds", None),
    ]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (0, 0),
        (1, 1),
        (10, 1),
        (20, 1),
        (21, 2),
        (25, 2),
        (30, 3),
        (39, 3),
        (40, 4),
        (50, 5),
        (60, 6),
        (99, 6),
    ],
)
def test_the_severity_follows_the_level(level: int, severity: int) -> None:
    assert severity_of(level) == severity


def test_the_level_and_the_formatter_are_the_handlers(path: Path, logger: logging.Logger) -> None:
    handler = AuditLogHandler(path, "WARNING")
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.info("no")
    logger.warning("yes")
    handler.close()
    assert [event.description for event in stored(path)] == ["WARNING: yes"]


def test_a_traceback_is_part_of_the_description(
    path: Path, logger: logging.Logger, handler: AuditLogHandler
) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logger.exception("could not refund")
    handler.close()
    (event,) = stored(path)
    assert event.description is not None
    assert event.description.startswith("could not refund\nTraceback")
    assert event.description.endswith("KeyError: 'gone'")


def test_metadata_that_is_no_json_is_kept_as_text(
    path: Path, logger: logging.Logger, handler: AuditLogHandler
) -> None:
    logger.info(
        "x", extra={"audit": {"day": date(2026, 11, 1), "metadata": {"who": {1: (2, Outcome.FAILURE)}}}}
    )
    handler.close()
    assert stored(path)[0].metadata == {"day": "2026-11-01", "who": {"1": [2, "failure"]}}


class Hostile:
    def __str__(self) -> str:
        raise ValueError("no text")


ENDLESS: dict[str, Any] = {}
ENDLESS["self"] = ENDLESS
DEEP: list[Any] = []
for _ in range(5_000):
    DEEP = [DEEP]
WRONG: list[tuple[tuple[object, ...], object]] = [
    ((1, 2), None),
    ((Hostile(),), None),
    (("x",), {"outcome": "ok"}),
    (("x",), {"severity": 9}),
    (("x",), {"occurred_at": "today"}),
    (("x",), {"metadata": 5}),
    (("x",), 5),
    (("x",), {"event": ""}),
]


@pytest.mark.parametrize(("arguments", "audit"), WRONG, ids=range(len(WRONG)))
def test_nothing_is_raised_into_the_program(
    path: Path,
    logger: logging.Logger,
    handler: AuditLogHandler,
    errors: list[str],
    arguments: tuple[object, ...],
    audit: object,
) -> None:
    logger.warning("wrong: %s", *arguments, extra={"audit": audit})
    assert errors == ["wrong: %s"]
    logger.warning("right")
    handler.close()
    assert [event.description for event in stored(path)] == ["right"]


@pytest.mark.parametrize("value", [ENDLESS, DEEP, Hostile(), {"deep": DEEP}], ids=range(4))
def test_metadata_that_cannot_be_read_costs_itself_only(
    path: Path, logger: logging.Logger, handler: AuditLogHandler, errors: list[str], value: object
) -> None:
    logger.warning("here", extra={"audit": {"metadata": {"a": 1, "b": value}, "c": value}})
    handler.close()
    (event,) = stored(path)
    assert errors == []
    assert event.metadata["a"] == 1
    assert "that is not JSON" in event.metadata["b"]
    assert "that is not JSON" in event.metadata["c"]


def test_nothing_is_raised_where_the_stack_is_full(path: Path, logger: logging.Logger) -> None:
    """Log from every depth up to the last one: a handler that raises there ends the program."""
    handler = AuditLogHandler(path)
    logger.addHandler(handler)
    raised: list[BaseException] = []

    def dig() -> None:
        try:
            logger.warning("deep")
        except RecursionError as error:
            # Of logging itself, which is called outside of the handler.
            if any(frame.name == "emit" for frame in traceback.extract_tb(error.__traceback__)):
                raised.append(error)
        with suppress(RecursionError):
            dig()

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 120)
    try:
        dig()
    finally:
        sys.setrecursionlimit(limit)
        logger.removeHandler(handler)
        handler.close()
    assert raised == []


def test_a_store_that_cannot_be_used_is_no_concern_of_the_program(
    path: Path, logger: logging.Logger, handler: AuditLogHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    path.mkdir()
    logger.warning("lost")
    assert "NotAStore" in capsys.readouterr().err
    path.rmdir()
    logger.warning("kept")
    handler.close()
    assert [event.description for event in stored(path)] == ["kept"]


def test_strict_recording_is_for_whoever_handles_errors(
    path: Path, logger: logging.Logger, errors: list[str]
) -> None:
    with AuditLog(path, strict=True, source="portal") as log:
        logger.addHandler(AuditLogHandler(log))
        logger.info("free text")
        ids = {"Email ID": "b", "IP Address": "::1", "User ID": "u"}
        logger.info("logged in", extra={"audit": {"event": "Login", **ids}})
    assert errors == ["free text"]
    assert [(event.event, event.source) for event in stored(path)] == [("Login", "portal")]


def test_what_recording_logs_itself_does_not_come_back(
    path: Path, logger: logging.Logger, handler: AuditLogHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = AuditLog.record

    def chatty(log: AuditLog, event: str, **fields: Any) -> AuditEvent:  # noqa: ANN401 - passed on as it is
        logger.info("about to record")
        return record(log, event, **fields)

    monkeypatch.setattr(AuditLog, "record", chatty)
    logger.info("one")
    logger.info("two")
    handler.close()
    assert [event.description for event in stored(path)] == ["one", "two"]


def test_a_log_that_was_handed_in_is_left_open(path: Path, logger: logging.Logger) -> None:
    with AuditLog(path) as log:
        handler = AuditLogHandler(log)
        logger.addHandler(handler)
        logger.info("one")
        handler.flush()
        handler.close()
        assert path.with_name("audit.db-wal").exists()
    assert [file.name for file in path.parent.glob("audit.db*")] == ["audit.db"]


def test_a_path_of_its_own_is_one_file_when_closed(
    path: Path, logger: logging.Logger, handler: AuditLogHandler
) -> None:
    logger.info("one")
    handler.close()
    handler.close()
    assert [file.name for file in path.parent.glob("audit.db*")] == ["audit.db"]


def test_a_configuration_can_name_it(path: Path, logger: logging.Logger) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"audit": {"class": "audit_tui.AuditLogHandler", "log": str(path), "level": "INFO"}},
            "loggers": {logger.name: {"handlers": ["audit"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger.debug("no")
    logger.info("yes")
    assert [event.description for event in stored(path)] == ["yes"]


def test_a_queue_in_front_takes_the_waiting(path: Path, logger: logging.Logger) -> None:
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    handler = AuditLogHandler(path)
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    logger.info("paid %d", 5, extra={"audit": {"event": "Payment", "user": "bob"}})
    listener.stop()
    handler.close()
    assert [(event.event, event.user, event.description) for event in stored(path)] == [
        ("Payment", "bob", "paid 5")
    ]
