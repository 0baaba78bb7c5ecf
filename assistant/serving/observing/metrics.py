"""Counters and times in Prometheus' form, in a registry of their own.

A library is told apart by its place among those that are served, from 1: its name is that of a folder. Labels take few
values, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from assistant.serving.observing.outcomes import Outcome, describe_question
from index.errors import FootnoteError
from index.library import Library
from index.place import DamagedError
from index.steps import LEFT, Step
from index.watching import Activity, find_watcher

FORM = CONTENT_TYPE_LATEST
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ANSWER_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
_STEPS = frozenset(
    "bring_up_to_date follow_up rewrite retrieve embed match rerank read quote write model check search".split()
)


class Metrics:
    """What one server has done since it began.

    libraries: what it answers from. count_waiting: how many questions wait or are being answered.
    """

    def __init__(self, libraries: Mapping[str, Library], count_waiting: Callable[[], int]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a third more series, of which nobody asks when they began
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Libraries(libraries))
        self._requests = Counter(
            "footnote_requests", "Requests that were answered.", ["route", "method", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "footnote_request_seconds",
            "How long a request took, with what is sent as it comes.",
            ["route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._answers = Counter(
            "footnote_answers",
            "Questions by what became of them, and by who wrote the answer.",
            ["status", "mode"],
            registry=registry,
        )
        self._answer_seconds = Histogram(
            "footnote_answer_seconds",
            "How long an answer took, whole.",
            ["mode"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self._step_seconds = Histogram(
            "footnote_step_seconds",
            "How long the steps of questions and searches took.",
            ["step"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self._tokens = Counter("footnote_model_tokens", "What the language model counted.", ["kind"], registry=registry)
        self._model_failures = Counter(
            "footnote_model_failures", "Times that the language model did not answer.", registry=registry
        )
        self._syncs = Counter("footnote_syncs", "Syncs that have ended.", ["outcome"], registry=registry)
        self._sync_seconds = Gauge("footnote_last_sync_seconds", "How long the last sync took.", registry=registry)
        waiting = Gauge("footnote_questions_waiting", "Questions that wait or are being answered.", registry=registry)
        waiting.set_function(count_waiting)

    def write(self) -> bytes:
        """All of it, as text."""
        return generate_latest(self._registry)

    def begin(self, step: Step) -> None:
        """Nothing is counted of what has only begun."""

    def end(self, step: Step) -> None:
        """Count a request, a question, a sync, or a step of one."""
        if isinstance(outcome := step.result, Outcome):
            status = f"{outcome.status // 100}xx" if outcome.status else "none"
            self._requests.labels(outcome.route, outcome.method, status).inc()
            self._request_seconds.labels(outcome.route).observe(step.seconds)
        elif step.name == "question":
            self._count_question(step)
        elif step.name == "sync":
            self._syncs.labels("failed" if step.failure not in ("", LEFT) else "done").inc()
            self._sync_seconds.set(step.seconds)
        elif step.name in _STEPS:
            self._step_seconds.labels(step.name).observe(step.seconds)
            if step.name == "model" and step.failure not in ("", LEFT):
                self._model_failures.inc()

    def _count_question(self, step: Step) -> None:
        facts = describe_question(step)
        mode = str(facts.get("mode", "none"))
        self._answers.labels(str(facts["status"]), mode).inc()
        if "mode" in facts:
            self._answer_seconds.labels(mode).observe(step.seconds)
        for kind in ("prompt", "completion"):
            if isinstance(tokens := facts.get(f"{kind}_tokens"), int):
                self._tokens.labels(kind).inc(tokens)


class _Libraries(Collector):
    """How the libraries stand at the moment that they are asked about."""

    def __init__(self, libraries: Mapping[str, Library]) -> None:
        self._libraries = libraries

    def collect(self) -> Iterable[Metric]:
        documents = GaugeMetricFamily("footnote_documents", "Documents that can be asked about.", labels=["library"])
        passages = GaugeMetricFamily("footnote_passages", "Passages that they were cut into.", labels=["library"])
        skipped = GaugeMetricFamily("footnote_skipped_files", "Files that could not be read.", labels=["library"])
        activity = GaugeMetricFamily(
            "footnote_sync_activity", "What the sync of a library does now.", labels=["library", "activity"]
        )
        for place, library in enumerate(self._libraries.values(), 1):
            if counts := _count(library):
                for family, value in zip((documents, passages, skipped), counts, strict=True):
                    family.add_metric([str(place)], value)
            watcher = find_watcher(library)
            now = watcher.state().activity if watcher else "idle"
            for one in get_args(Activity):
                activity.add_metric([str(place), one], float(one == now))
        return documents, passages, skipped, activity


def _count(library: Library) -> tuple[int, int, int] | None:
    lexicon = library.store.lexicon
    try:
        with lexicon.snapshot():
            if not lexicon.is_usable():
                return None
            return lexicon.count_documents(), lexicon.count_chunks(), len(lexicon.skipped())
    except (FootnoteError, DamagedError):
        return None  # a question or a sync finds it out, and mends it
