"""The door of the command line: stopped before it is ready, it ends without a word, as nothing was begun."""

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
