"""A process that sets documents, and fails in every way that one can fail, when a word in the document asks for it.

Run in place of `careplan.formats.print_process`; as `python -m tests.contract.faulty_printing serve` it is the service that
has it so.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from careplan.formats import print_process, typesetting
from careplan.formats.typesetting import Document, typeset


def faulty(document: Document) -> bytes:
    """Set the document, or do what a word in it says."""
    words = document.inputs["data"]
    if "print-hang" in words:
        time.sleep(600)
    if "print-crash" in words:
        sys.stderr.write(words)
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
    if "print-hungry" in words:
        _ = bytes(2_000_000_000)
    if "print-killed" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    if "print-exit" in words:
        raise SystemExit(words)
    if "print-defect" in words:
        raise ValueError(words)
    if "print-no-template" in words:
        return typeset(Document("protocol.typ", document.inputs))
    return typeset(document)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        from careplan.cli.main import main
        from careplan.web.process import printing

        printing.PRINT_PROCESS = (sys.executable, "-P", "-m", "tests.contract.faulty_printing")
        printing.PRINT_SECONDS = 3
        main()
    else:
        typesetting.typeset = faulty
        print_process.bound(*map(int, sys.argv[1:]))
        os._exit(print_process.main())
