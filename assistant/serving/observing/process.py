"""A command, observed where its environment asks for it. What a server does it observes itself, once it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

_ASKS = ("FOOTNOTE_LOG", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def observing(environment: Mapping[str, str], *, is_server: bool = False) -> Iterator[None]:
    """As long as the block lasts, the journal and the spans that the environment asks for hear of each step.

    is_server: whether steps are heard of elsewhere; what libraries log goes to the journal always.

    Raises InputError where it asks for what cannot be had.
    """
    with ExitStack() as listening:
        if is_server:
            from assistant.serving.observing.journal import hear_libraries, open_journal

            listening.enter_context(hear_libraries(open_journal(environment)))
        elif any(environment.get(name, "").strip() for name in _ASKS):
            from assistant.serving.observing.journal import hear_libraries, open_journal
            from assistant.serving.observing.spans import open_spans
            from index.steps import listen

            journal = open_journal(environment)
            listening.callback(listen(journal))
            listening.enter_context(hear_libraries(journal))
            if spans := open_spans(environment):
                listening.callback(spans.close)
                listening.callback(listen(spans))
        yield
