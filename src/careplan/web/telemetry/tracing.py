"""Traces by OpenTelemetry, set up by its own environment variables, and the trace context of W3C.

Spans carry what a log line carries and nothing more.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

import structlog

from careplan.errors import InvalidSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

CLOSE_SECONDS = 3.0
log = structlog.get_logger("careplan")

_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class Parent(NamedTuple):
    """Where a request comes from, from its `traceparent` header: hexadecimal identifiers of fixed length."""

    trace_id: str
    span_id: str
    sampled: bool


def parent_of(header: bytes) -> Parent | None:
    """What a `traceparent` header says; None for anything that is not exactly of its form."""
    found = _PARENT.fullmatch(header.decode("latin-1"))
    return Parent(found[1], found[2], bool(int(found[3], 16) & 1)) if found else None


class Span:
    """The span of one request. This one records nothing; the one below does."""

    trace_id: str | None = None

    def answer(self, method: str, route: str, status: int) -> None:
        """What became of the request."""


class Tracing:
    """Makes spans; without an exporter, empty ones."""

    @contextmanager
    def request(self, parent: Parent | None) -> Iterator[Span]:
        """A span as long as the block."""
        span = Span()
        span.trace_id = parent.trace_id if parent else None
        yield span

    def close(self) -> None:
        """Send what was not sent yet."""


def tracing_from(environment: Mapping[str, str]) -> Tracing:
    """Tracing as OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_* say. Raises `InvalidSettings` for an unknown exporter."""
    endpoint = any(environment.get(f"OTEL_EXPORTER_OTLP_{part}ENDPOINT") for part in ("", "TRACES_"))
    name = environment.get("OTEL_TRACES_EXPORTER") or ("otlp" if endpoint else "none")
    if name == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Tracing()
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return _Recording(ConsoleSpanExporter())
    if name != "otlp":
        raise InvalidSettings("OTEL_TRACES_EXPORTER can be otlp, console or none")
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        raise InvalidSettings("traces are sent as http/protobuf; OTEL_EXPORTER_OTLP_PROTOCOL cannot be anything else")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return _Recording(OTLPSpanExporter())


class _Recording(Tracing):
    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": "careplan", "service.version": version("careplan")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("careplan")

    @contextmanager
    def request(self, parent: Parent | None) -> Iterator[Span]:
        from opentelemetry import trace

        context = None
        if parent is not None:
            flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent.sampled else trace.TraceFlags.DEFAULT)
            remote = trace.SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        span = self._tracer.start_span("request", context=context, kind=trace.SpanKind.SERVER)

        class Recorded(Span):
            trace_id = f"{span.get_span_context().trace_id:032x}"

            def answer(self, method: str, route: str, status: int) -> None:
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {"http.request.method": method, "http.route": route, "http.response.status_code": status}
                )
                if status >= 500:
                    span.set_status(trace.StatusCode.ERROR)

        try:
            yield Recorded()
        finally:
            span.end()

    def close(self) -> None:
        # A collector that does not answer is asked again and again; the process does not wait for that to end.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
        if closing.is_alive():
            log.warning("traces lost", why="the collector does not answer")
