"""Steps as OpenTelemetry's spans, by way of llama-index's instrumentation: what llama-index does is a span among them.

Each has a name, how long it took, and numbers; never what it was called with or gave. Whatever else llama-index's
dispatcher tells, hears of our steps too.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from assistant.serving.observing.outcomes import Outcome, describe
from index.errors import InputError
from index.steps import LEFT, Step, at

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_GROUP = "opentelemetry_traces_exporter"
_NAME = "footnote"
_CLOSING_MILLISECONDS = 2000  # that the end of the process waits for what is not sent yet
_NO_ARGUMENTS = inspect.signature(lambda: None).bind()


def open_spans(environment: Mapping[str, str]) -> Spans | None:
    """What makes spans of steps, where OpenTelemetry's own variables name an exporter; else None, with nothing loaded.

    Raises InputError where there is no such exporter.
    """
    names = _name_exporters(environment)
    if not names:
        return None
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made = Resource.create({} if environment.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: _NAME})
    # Not the process's provider, or what other libraries tell of a question would be sent too.
    provider = TracerProvider(resource=made, shutdown_on_exit=False)
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(_load_exporter(name)))
    return Spans(provider)


def _name_exporters(environment: Mapping[str, str]) -> list[str]:
    """The exporters by the names under which they are installed."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    has_endpoint = any(environment.get(name, "").strip() for name in _ENDPOINTS)
    named = environment.get("OTEL_TRACES_EXPORTER", "").strip() or ("otlp" if has_endpoint else "none")
    wanted = [name.strip() for name in named.split(",") if name.strip() not in ("", "none")]
    protocol = next((said for name in _PROTOCOLS if (said := environment.get(name, "").strip())), "grpc")
    return [_OTLP.get(protocol, protocol) if name == "otlp" else name for name in wanted]


def _load_exporter(name: str) -> Any:
    found = [*entry_points(group=_GROUP, name=name)]
    if not found:
        known = ", ".join(sorted(entry.name for entry in entry_points(group=_GROUP)))
        raise InputError(
            f"No exporter of spans {name[:60]!r} is installed, only {known}: see OTEL_TRACES_EXPORTER and "
            "OTEL_EXPORTER_OTLP_PROTOCOL, or install opentelemetry-exporter-otlp-proto-http for http/protobuf."
        )
    return found[0].load()()


class Spans:
    """Tells llama-index's dispatcher of each step, and makes a span of all that the dispatcher tells.

    provider: OpenTelemetry's, which sends the spans on.
    """

    def __init__(self, provider: Any) -> None:
        from llama_index_instrumentation import get_dispatcher, root_dispatcher

        self._provider = provider
        self._dispatcher = get_dispatcher(_NAME)
        self._root = root_dispatcher
        self._handler = _make_handler(provider.get_tracer(_NAME))
        root_dispatcher.add_span_handler(self._handler)

    def begin(self, step: Step) -> None:
        """A span begins."""
        within = _name_span(step.within) if step.within else None
        # A request may be over when what it asked for begins.
        trace = step.trace or (step.within.trace if step.within else "")
        tags = {"traceparent": trace} if trace else {}
        self._dispatcher.span_enter(_name_span(step), _NO_ARGUMENTS, None, within, tags)

    def end(self, step: Step) -> None:
        """It is over."""
        facts = {**describe(step), "request_id": step.request_id or None}
        if isinstance(step.result, Outcome):
            facts = {"name": f"{step.result.method} {step.result.route}", **facts}
        if step.failure not in ("", LEFT):
            facts["failed"] = True
        if step.name == "request" and (opened := self._handler.open_spans.get(_name_span(step))):
            context = opened._span.get_span_context()
            step.trace = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        self._dispatcher.span_exit(_name_span(step), _NO_ARGUMENTS, None, _Facts(facts))

    def close(self) -> None:
        """Send what is left, and make no spans any more."""
        self._root.span_handlers = [one for one in self._root.span_handlers if one is not self._handler]
        self._provider.force_flush(_CLOSING_MILLISECONDS)


class _Facts(dict[str, Any]):
    """The numbers of a step of ours: all else that a span gives is content."""


def _name_span(step: Step) -> str:
    return f"{_NAME}.{step.name}-{step.number}"


def _make_handler(tracer: Any) -> Any:
    """A span handler of llama-index that makes OpenTelemetry's spans."""
    from llama_index_instrumentation.span.base import BaseSpan
    from llama_index_instrumentation.span_handlers import BaseSpanHandler
    from opentelemetry.trace import Status, StatusCode, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    from pydantic import PrivateAttr

    class Open(BaseSpan):
        _span: Any = PrivateAttr()

    class Handler(BaseSpanHandler[Open]):
        def new_span(
            self,
            id_: str,
            bound_args: Any,
            instance: Any = None,
            parent_span_id: str | None = None,
            tags: dict[str, Any] | None = None,
            **_: Any,
        ) -> Open:
            outer = self.open_spans.get(parent_span_id or "")
            # What llama-index does within a step of ours does not know of it.
            if outer is None and not id_.startswith(f"{_NAME}.") and (step := at()):
                outer = self.open_spans.get(_name_span(step))
            context = None
            if outer:
                context = set_span_in_context(outer._span)
            elif trace := (tags or {}).get("traceparent"):
                context = TraceContextTextMapPropagator().extract({"traceparent": trace})
            # An id is the name, and what makes it the only one of the name.
            name = id_.rpartition("-")[0] if id_.startswith(f"{_NAME}.") else id_[:-37]
            opened = Open(id_=id_, parent_id=parent_span_id)
            opened._span = tracer.start_span(name, context=context)
            return opened

        def prepare_to_exit_span(
            self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **_: Any
        ) -> Open | None:
            opened = self.open_spans.get(id_)
            if opened:
                _finish(opened._span, result if isinstance(result, _Facts) else {})
            return opened

        def prepare_to_drop_span(
            self, id_: str, bound_args: Any, instance: Any = None, err: BaseException | None = None, **_: Any
        ) -> Open | None:
            opened = self.open_spans.get(id_)
            if opened:
                _finish(opened._span, {"failed": True, **({"error": type(err).__name__} if err else {})})
            return opened

    def _finish(span: Any, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            if name == "name":
                span.update_name(value)
            elif name == "failed":
                span.set_status(Status(StatusCode.ERROR))
            elif value is not None:
                span.set_attribute(f"{_NAME}.{name}", value)
        span.end()

    return Handler()
