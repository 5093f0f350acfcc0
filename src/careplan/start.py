"""The door of the command line: stopped before it is ready, it ends without a word, as nothing was begun."""

from __future__ import annotations

import signal


def main() -> None:
    """Load the commands, and run one."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from careplan.cli import main as command

    signal.signal(signal.SIGINT, before)
    command()


if __name__ == "__main__":
    main()
