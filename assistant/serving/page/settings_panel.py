"""The settings on the page: who writes the answers, with a button that tries it. Only for a server of this machine."""

from html import escape
from typing import Any

from assistant.serving import writers
from assistant.serving.page.header import describe_mode, to_header
from assistant.serving.page.strings import say
from assistant.serving.served import Served
from index.errors import FootnoteError, InputError
from index.settings import Settings

KINDS = ("quotations", "openai", "server")


def build_settings(served: Served, header: Any, tab: Any, hidden: dict[str, Any]) -> None:
    """The components, within the tab that is being built, and their events.

    header: the component that shows `to_header`. hidden: what all events of the page have in common.
    """
    import gradio

    gradio.Markdown(say("settings.lead"))
    kind = gradio.Radio(
        [(say(f"settings.{kind}"), kind) for kind in KINDS], label=say("settings.who"), elem_id="writer-kind"
    )
    with gradio.Group(visible=False) as details:
        address = gradio.Dropdown(
            [],
            label=say("settings.address"),
            info=say("settings.address_info"),
            allow_custom_value=True,
            elem_id="writer-address",
        )
        key = gradio.Textbox(label=say("settings.key"), type="password", max_lines=1, elem_id="writer-key")
        model = gradio.Dropdown(
            [],
            label=say("settings.model"),
            info=say("settings.model_info"),
            allow_custom_value=True,
            elem_id="writer-model",
        )
    with gradio.Row():
        test = gradio.Button(say("settings.test"), elem_id="writer-test")
        save = gradio.Button(say("settings.save"), variant="primary", elem_id="writer-save")
    status = gradio.HTML("", elem_id="writer-status")
    fields = [kind, address, key, model]

    def fill() -> list[Any]:
        now = served.settings
        chosen = _find_kind(now)
        return [
            gradio.Radio(value=chosen),
            gradio.Group(visible=chosen != "quotations"),
            gradio.Dropdown(value=now.server or "", visible=chosen == "server"),
            _show_key(now),
            gradio.Dropdown(choices=[now.model] if now.model else [], value=now.model or ""),
        ]

    def look_round() -> list[Any]:
        """Offer what runs on this machine, which takes a moment: nothing that is filled in by then is touched."""
        offers = writers.find_offers(served.settings)
        names = ", ".join(f"{offer.name} ({offer.base_url})" for offer in offers)
        told = say("settings.offer", names=names) if offers and not served.settings.uses_language_model else ""
        found = " ".join([say("settings.address_info"), *([] if offers else [say("settings.none_found")])])
        choices = gradio.Dropdown(choices=[offer.base_url for offer in offers], info=found)
        return [choices, _say(told) if told else gradio.skip()]

    def choose(chosen: str) -> list[Any]:
        return [
            gradio.Group(visible=chosen != "quotations"),
            gradio.Dropdown(visible=chosen == "server"),
            _say(say("settings.told_openai") if chosen == "openai" else ""),
        ]

    def list_models(chosen: str, given: str | None, typed: str | None) -> list[Any]:
        """Offer the models of a server as soon as its address is known."""
        try:
            settings = _read(served.settings, chosen, given, typed, "")
            models = list(writers.list_models(settings, seconds=5.0))
        except FootnoteError as error:
            return [gradio.skip(), _say(str(error), is_wrong=True)]
        told = say("settings.told_server", address=settings.server, count=len(models))
        return [gradio.Dropdown(choices=models, value=next(iter(models), "")), _say(told)]

    def try_out(chosen: str, given: str | None, typed: str | None, named: str | None) -> str:
        if chosen == "quotations":
            return _say(say("settings.no_trial"))
        try:
            name, seconds = writers.try_out(_read(served.settings, chosen, given, typed, named))
        except FootnoteError as error:
            return _say(str(error), is_wrong=True)
        return _say(say("settings.works", model=name, seconds=f"{seconds:.1f}"))

    def keep(chosen: str, given: str | None, typed: str | None, named: str | None) -> list[Any]:
        try:
            settings = _read(served.settings, chosen, given, typed, named)
        except FootnoteError as error:
            return [_say(str(error), is_wrong=True), gradio.skip(), gradio.skip()]
        served.settings = settings
        told = say("settings.saved", mode=describe_mode(settings))
        try:
            writers.keep(writers.find_file(), writers.Writer(settings.base_url, settings.api_key, settings.model))
        except InputError as error:
            told = str(error)
        return [_say(told), _show_key(settings), to_header(served)]

    def _show_key(settings: Settings) -> Any:
        # Whether there is one, and never which.
        return gradio.Textbox(
            value="", placeholder=say("settings.key_kept") if settings.api_key else say("settings.key_none")
        )

    kind.input(choose, kind, [details, address, status], **hidden)
    address.input(list_models, [kind, address, key], [model, status], **hidden)
    test.click(lambda: _say(say("settings.testing")), None, status, **hidden).then(try_out, fields, status, **hidden)
    save.click(keep, fields, [status, key, header], **hidden)
    tab.select(fill, None, [kind, details, address, key, model], **hidden).then(
        look_round, None, [address, status], **hidden
    )


def _find_kind(settings: Settings) -> str:
    if not settings.uses_language_model:
        return "quotations"
    return "server" if settings.base_url else "openai"


def _read(now: Settings, kind: str, address: str | None, key: str | None, model: str | None) -> Settings:
    """The settings with what is filled in. Raises InputError."""
    return writers.apply(now, writers.read_writer(kind or "", address or "", key or "", model or "", now))


def _say(text: str, *, is_wrong: bool = False) -> str:
    return f'<p role="status" class="{"wrong" if is_wrong else "told"}">{escape(text)}</p>' if text else ""
