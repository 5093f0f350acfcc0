"""What commands for many patients share: where the work is done, and what ends it early."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import rich_click as click

from careplan.batch.ndjson import Line
from careplan.batch.worker_pool import InThisProcess, Pool, Processes
from careplan.cli.common import fail

ON = click.option("--on", metavar="dask://HOST:PORT", help="Do it on this Dask cluster instead.")


def local(make: Callable[[], Callable[[list[Line]], Any]], workers: int) -> Pool[list[Line], Any]:
    """The processes of this machine that do the work, or this one alone."""
    return InThisProcess(make) if workers == 1 else Processes(make, workers)


def cluster(on: str, job: Callable[[], Any]) -> Pool[list[Line], Any]:
    """The cluster at this address; ends the command where there is none that can do the job."""
    place = urlsplit(on)
    try:
        good = place.scheme == "dask" and bool(place.hostname) and bool(place.port)
    except ValueError:
        good = False
    if not good:
        fail("name the cluster as dask://HOST:PORT", 2)
    try:
        from careplan.batch.dask_cluster import Cluster, Unusable
    except ImportError:
        fail("a cluster needs the extra dask: pip install 'careplan[dask]'", 2)
    try:
        return Cluster(f"tcp://{place.netloc}", job())
    except OSError:
        fail(f"no Dask scheduler answers at {on}", 4)
    except Unusable as error:
        fail(f"the cluster at {on} {error}", 4)


@contextmanager
def stoppable() -> Iterator[None]:
    """Be stopped by SIGTERM and SIGHUP as by Ctrl-C, and by none of them twice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def stop(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number, handler in before.items():
        # Under nohup, the end of the terminal is to be ignored.
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
