"""``audit-tui ship``: a sealed store to an engine that many stores share."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import store_option
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.session import Ended
from audit_tui.cli.source import SourceName, StoreName
from audit_tui.core.source import SourceUrl
from audit_tui.core.text import counted, thousands
from audit_tui.errors import EXIT_OK, EXIT_WRONG, UsageError

if TYPE_CHECKING:
    from audit_tui.core.source import EventSource
    from audit_tui.engines.shipping import Shipper


@click.command("ship")
@click.argument("named", metavar="[STORE]", type=StoreName(), required=False)
@store_option
@click.option(
    "--to",
    "target",
    metavar="URL",
    type=SourceName(),
    help="The engine: postgresql://USER@HOST/DATABASE or clickhouse://... The password comes from a .pgpass "
    "file, PGPASSWORD or CLICKHOUSE_PASSWORD.",
)
@click.option(
    "--follow", is_flag=True, help="Go on with what comes, until it is ended; wait while it is away."
)
@click.option("--name", metavar="NAME", help="The name of the store there.", show_default="this host's")
@click.option(
    "--print-schema", is_flag=True, help="Print the SQL of the tables and of the roles, and do nothing."
)
@click.pass_context
def ship_command(
    context: click.Context,
    named: Path | None,
    store: Path,
    target: EventSource | None,
    *,
    follow: bool,
    name: str | None,
    print_schema: bool,
) -> int:
    """Send a sealed store to an engine that many stores share, each event once.

    The first run makes the tables. Each event is compared with its seal before it is sent, and the seals go
    along, so that audit-tui verify -s URL can tell what was altered there. Shipping again sends what is new.

    Exits with 0 when all is there, 1 when events there are not those of the store, 3 when the store or the
    engine cannot be read.
    """
    del context
    if not isinstance(target, SourceUrl):
        raise UsageError("--to needs the URL of an engine.", "As --to postgresql://audit@db.example/audit")
    if print_schema:
        from audit_tui.engines.opening import printed_schema

        click.echo(printed_schema(target), nl=False)
        return EXIT_OK
    from audit_tui.engines.opening import shipper_of
    from audit_tui.engines.shipping import NotShipped

    path = store if named is None else named
    shipper = shipper_of(path, target, name or socket.gethostname())
    try:
        with ProgressLine() as line:
            report = line.shows(lambda done, size: f"Shipped {done:,} of {counted(size, 'event')}")
            try:
                if follow:
                    shipper.follow(report, lambda words: tell(words))
                else:
                    shipper.run(report)
            except NotShipped as error:
                tell(f"{error.message} {error.hint}")
                return EXIT_WRONG
    except (KeyboardInterrupt, Ended):
        _tell(shipper, path, target)
        raise
    finally:
        shipper.close()
    return _tell(shipper, path, target)


def _tell(shipper: Shipper, path: Path, target: SourceUrl) -> int:
    result = shipper.result
    words = f"Sent {counted(result.sent, 'event')} of {path} to {target}"
    if result.already:
        words += f"; {thousands(result.already)} were there already"
    tell(f"{words}.")
    if not result.outdated:
        return EXIT_OK
    tell(
        f"{counted(result.outdated, 'event')} that were redacted or pruned here after they had been shipped"
        " still stand there as they were. Only the owner of its tables can take them out."
    )
    return EXIT_WRONG
