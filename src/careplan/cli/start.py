"""The entry point of the command line. Interrupted while it loads, it ends without a traceback."""

from __future__ import annotations

from careplan.cli.interrupts import unbegun


def main() -> None:
    """Load the commands, and run one."""
    with unbegun():
        from careplan.cli.endings import open_streams
        from careplan.cli.main import main as command

        open_streams()
    command()


if __name__ == "__main__":
    main()
