"""The page: which components stand where. What happens when something is typed or clicked on stands in events.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from assistant.serving.limits import Streams
from assistant.serving.page.assets import read_asset
from assistant.serving.page.events import HIDDEN, connect
from assistant.serving.page.programs import offer
from assistant.serving.page.scope import Scope
from assistant.serving.page.settings_panel import build_settings
from assistant.serving.page.strings import say
from assistant.serving.page.waiting import AT_ONCE
from assistant.serving.served import Served
from assistant.showing.markdown import LATEX_DELIMITERS

MOST_SESSIONS = 256  # whose conversations are remembered: somewhat more than pages may be open
CONVERSATIONS = "conversations"  # what the browser keeps, and gives back


def build_page(served: Served, streams: Streams) -> Any:
    """The page, as Gradio's Blocks."""
    import gradio

    at = SimpleNamespace()
    with gradio.Blocks(title="Footnote", fill_height=True, analytics_enabled=False) as page:
        at.conversation, at.asking = gradio.State(()), gradio.State("")
        at.scope, at.editing = gradio.State(Scope()), gradio.State(None)  # the turn that is to be asked anew
        with gradio.Row(elem_id="top"):
            at.header = gradio.HTML(elem_id="header")
            at.user = gradio.HTML(elem_id="user")
        with gradio.Sidebar(open=False, elem_id="sidebar"):
            at.conversations = _scripted("conversations.js", CONVERSATIONS)
        with gradio.Tabs(elem_id="tabs"):
            talking = gradio.Tab(say("tabs.conversation"), id="conversation")
            with talking, gradio.Row(equal_height=False, elem_id="desk"):
                with gradio.Column(scale=3, min_width=320, elem_id="talk"):
                    at.chatbot = gradio.Chatbot(
                        elem_id="conversation",
                        label=say("conversation.label"),
                        show_label=False,
                        height="auto",
                        latex_delimiters=LATEX_DELIMITERS,
                        allow_tags=False,
                        sanitize_html=True,
                        feedback_options=("Like", "Dislike"),
                        buttons=[],
                        placeholder=say("conversation.empty"),
                    )
                    at.suggestions = _scripted("suggestions.js", "suggestions")
                    at.question = gradio.Textbox(
                        label=say("asking.label"),
                        placeholder=say("asking.placeholder"),
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        submit_btn=say("asking.ask"),
                        elem_id="question",
                    )
                    with gradio.Row(elem_id="below"):
                        at.picker = _scripted("scope.js", "scope")
                        at.acts = _scripted("acts.js", "acts")
                with gradio.Column(scale=2, min_width=320, elem_id="proof"):
                    at.viewer = _scripted("viewer.js", "viewer")
            with gradio.Tab(say("tabs.documents"), id="documents"):
                _scripted("documents.js", "documents-tab")
            if served.is_local:
                with gradio.Tab(say("tabs.settings"), id="settings") as settings:
                    build_settings(served, at.header, settings, HIDDEN)
        connect(page, at, served, streams)
        offer(served)
    page.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    page.state_session_capacity = MOST_SESSIONS
    return page


def _scripted(asset: str, name: str) -> Any:
    """A component that is drawn by a script of ours, from the value that the server gives it."""
    import gradio

    return gradio.HTML(
        None, html_template="", js_on_load=read_asset(asset), apply_default_css=False, padding=False, elem_id=name
    )
