"""Start the command: as ``audit-tui``, and as ``python -m audit_tui``.

Imports take a quarter of a second, in which Ctrl+C must end the program without a traceback. So nothing is
imported here before the signal has its default action; ``cli.main`` takes it over once it runs a command.
"""

from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal


def main() -> None:
    """Run the command line of this process."""
    # It is ignored in a background job, and stays so.
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    from audit_tui.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
