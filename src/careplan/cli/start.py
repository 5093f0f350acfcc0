"""The door of the command line: stopped before it is ready, it ends without a word, as nothing was begun."""

from __future__ import annotations

from careplan.cli.interrupts import unbegun


def main() -> None:
    """Load the commands, and run one."""
    with unbegun():
        from careplan.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
