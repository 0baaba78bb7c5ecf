"""The questions that wait or are being answered, as Gradio's queue knows of them."""

from __future__ import annotations

from typing import Any

AT_ONCE = 4  # questions answered at the same time; more wait their turn


class Questions:
    """Those of a page; the guard asks for them too."""

    def __init__(self, page: Any) -> None:
        self._page = page  # whose queue may yet be replaced

    def sessions(self) -> list[str]:
        """The session of each."""
        queue = self._page._queue
        waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
        answered = [event for job in queue.active_jobs for event in job or ()]
        return [event.session_hash for event in (*waiting, *answered)]

    def is_known(self, session: str) -> bool:
        """Whether a session has asked anything yet."""
        return session in self._page._queue.pending_messages_per_session

    def seconds_each(self) -> float:
        """How long one takes, all that are answered at once counted."""
        taken = self._page._queue.process_time_per_fn.values()
        return max((one.avg_time for one in taken), default=1.0) / AT_ONCE
