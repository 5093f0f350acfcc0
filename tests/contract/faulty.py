"""The service with a planner that fails in every way that one can fail, when a medicine's name asks for it.

Run as `python -m tests.contract.faulty serve`; workers are forked from this process and have what is changed here.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import threading
import time
import warnings

from careplan.cli.main import main
from careplan.facts.case import Case
from careplan.inference.verdicts import Verdicts
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.asking import Visit

_planned = Planner._planned


class _Unraisable:
    def __init__(self, words: str) -> None:
        self.words = words

    def __del__(self) -> None:
        raise ValueError(self.words)


async def _background(words: str) -> None:
    raise ValueError(words)


def _raise(words: str) -> None:
    raise ValueError(words)


def faulty(self: Planner, patient: Patient, language: str, visit: Visit) -> tuple[Case, Verdicts, CarePlan]:
    """Plan, or do what the name of the first medicine says."""
    words = repr(patient)
    match (patient.medications[0].name if patient.medications else "").split():  # type: ignore[union-attr]
        case ["raise", *_]:
            raise ValueError(words)
        case ["task", *_]:
            asyncio.get_running_loop().create_task(_background(words))
        case ["thread", *_]:
            threading.Thread(target=_raise, args=(words,)).start()
        case ["unraisable", *_]:
            _Unraisable(words)
        case ["warning", *_]:
            warnings.warn(words, stacklevel=1)
        case ["system-exit", *_]:
            raise SystemExit(words)
        case ["recursion", *_]:
            faulty(self, patient, language, visit)
        case ["memory", *_]:
            raise MemoryError(words)
        case ["memory-for-good", *_]:
            ctypes.CDLL(None).malloc_trim(0)  # what was freed before is kept otherwise, and would do for the next request
            resource.setrlimit(resource.RLIMIT_AS, (1, resource.RLIM_INFINITY))
            raise MemoryError(words)
        case ["segv", *_]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["slow", *_]:
            time.sleep(0.5)
        case ["slow-by-a-tenth", *_]:
            time.sleep(0.1)
        case ["hang", *_]:
            ctypes.PyDLL(None).sleep(600)  # keeps the lock of the interpreter, as the engine does
    return _planned(self, patient, language, visit)


if __name__ == "__main__":
    Planner._planned = faulty  # type: ignore[method-assign]
    main()
