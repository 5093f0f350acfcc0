"""What is counted, for Prometheus. Labels are words of ours only: routes as declared, rules, statuses.

Worker processes share their counts through memory (`shared_counts`), so that any of them can answer for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock

import prometheus_client as prometheus
from litestar import Request, Response, get
from litestar.datastructures import State
from prometheus_client.metrics_core import Metric

from careplan.rulebook.model import Rulebook
from careplan.web.telemetry import shared_counts

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counts of this process. What happens many times a plan is added up first and handed over by `flush`."""

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        self.alive: Callable[[int], bool] = lambda _worker: True
        """Whether the worker of a number, counting from 0, is there."""
        self.further: Callable[[], list[Metric]] = list
        """What is known without having been counted here."""
        counter = partial(prometheus.Counter, registry=self.registry, namespace="careplan")
        histogram = partial(prometheus.Histogram, registry=self.registry, namespace="careplan", buckets=SECONDS)
        gauge = partial(prometheus.Gauge, registry=self.registry, namespace="careplan", multiprocess_mode="livesum")
        self._requests = counter("requests", "Requests answered.", ["method", "route", "status"])
        self._seconds = histogram("request_seconds", "From the request's header to its answer.", ["route"])
        self.in_hand = gauge("requests_in_hand", "Requests being worked on.")
        self.shed = counter("requests_shed", "Requests refused because too many were in hand.")
        self.exhausted = counter("requests_exhausted", "Requests refused as memory, threads or files were used up.")
        self._bodies = counter("bodies_rejected", "Request bodies that could not be used.", ["why"])
        self._plans = counter("plans", "Plans made, by their status.", ["status"])
        self._engine = histogram("engine_seconds", "Time in the rules engine for one plan.")
        self._findings = counter("findings", "Plans in which a rule held.", ["rule"])
        self._feedback = counter("feedback", "What became of cards, by the rule behind them.", ["rule", "outcome"])
        self._documents = counter("documents", "PDFs asked for, by what became of each and of its process.", ["outcome"])
        self._rulebook = gauge("rulebook_workers", "Workers that plan with this rulebook.", ["id", "version", "digest"])
        self._starts = counter("worker_starts", "Worker processes started; more than configured means that some died.")
        # Plans are made in several threads, while the loop's hands the sums over.
        self._adding = Lock()
        self._held: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def started(self) -> None:
        """The worker is up."""
        self._starts.inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered, so many seconds after it came; `route` is the address as declared, never the one sent."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def rejected(self, why: str) -> None:
        """A body could not be used."""
        self._bodies.labels(why).inc()

    def planned(self, seconds: float, rules: Iterable[str], status: str) -> None:
        """A plan was made, with so much time in the engine; an item for each of these rules."""
        self._engine.observe(seconds)
        with self._adding:
            self._held.update(set(rules))
            self._statuses[status] += 1

    def heard(self, rule: str, outcome: str) -> None:
        """A card of this rule was accepted or set aside."""
        self._feedback.labels(rule, outcome).inc()

    def printed(self, outcome: str) -> None:
        """A PDF was made, or was not for this reason."""
        self._documents.labels(outcome).inc()

    def serves(self, before: Rulebook | None, now: Rulebook | None) -> None:
        """The worker plans with another rulebook from now on."""
        for book, number in ((before, 0), (now, 1)):
            if book is not None:
                self._rulebook.labels(book.about.id, book.about.version, book.digest).set(number)

    def flush(self) -> None:
        """Hand over what was added up since the last time."""
        with self._adding:
            held, self._held = self._held, Counter()
            statuses, self._statuses = self._statuses, Counter()
        for rule, times in held.items():
            self._findings.labels(rule).inc(times)
        for status, times in statuses.items():
            self._plans.labels(status).inc(times)

    def feedback(self) -> Counter[tuple[str, str]]:
        """How often each outcome was heard of the cards of each rule, by all workers."""
        counts: Counter[tuple[str, str]] = Counter()
        for family in self._counted():
            for sample in family.samples:
                if sample.name == "careplan_feedback_total":
                    counts[sample.labels["rule"], sample.labels["outcome"]] += int(sample.value)
        return counts

    def page(self) -> bytes:
        """All counts of all workers, in the text format of Prometheus."""
        self.flush()
        return prometheus.generate_latest(_Families([*self._counted(), *self.further()]))

    def _counted(self) -> list[Metric]:
        return shared_counts.families(self.alive) if shared_counts.attached() else list(self.registry.collect())


class _Families(prometheus.CollectorRegistry):
    """Families that are known already, as the library takes them for a page."""

    def __init__(self, families: list[Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        return iter(self._families)


def numbers(name: str, about: str, kind: str, found: Iterable[tuple[dict[str, str], float]]) -> Metric:
    """A family of metrics with the numbers that were `found`, each with its labels; `kind` is "gauge" or "counter"."""
    family = Metric(f"careplan_{name}", about, kind)
    for labels, value in found:
        family.add_sample(f"careplan_{name}{'_total' if kind == 'counter' else ''}", labels, value)
    return family


@get("/metrics", include_in_schema=False, sync_to_thread=False, opt={"scope": "observe", "opens": "metrics"})
def metrics_page(request: Request[None, None, State]) -> Response[bytes]:
    """The counts."""
    metrics: Metrics = request.app.state.metrics
    # The framework names the charset of every text by itself.
    media_type = prometheus.CONTENT_TYPE_LATEST.partition("; charset=")[0]
    return Response(metrics.page(), media_type=media_type, headers={"Cache-Control": "no-store"})
