"""The page on which one logs in: one HTML text that loads nothing and works without JavaScript."""

from __future__ import annotations

from html import escape

from assistant.serving.page.strings import say

_STYLE = """
:root { color-scheme: light dark; --ground: #f8f7f4; --paper: #fff; --ink: #1d1d1f; --quiet: #5b5b62; --line: #8b8b93;
  --accent: #3f4bb8; --on-accent: #fff; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #17171a; --paper: #212126; --ink: #ececf0; --quiet: #b3b3bd;
  --line: #85858f; --accent: #aab2ff; --on-accent: #14164a; --wrong: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 24rem; padding: 2rem; background: var(--paper); border-radius: .75rem;
  box-shadow: 0 1px 3px rgb(0 0 0 / .2); }
h1 { margin: 0; font-size: 1.5rem; }
p { margin: .25rem 0 1rem; color: var(--quiet); }
p.wrong { color: var(--wrong); }
label { display: block; margin-top: 1rem; font-weight: 600; }
input, button { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; border-radius: .5rem; }
input { margin-top: .25rem; color: inherit; background: transparent; border: 1px solid var(--line); }
button { margin-top: 1.5rem; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0;
  cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form + form { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); }
"""


def draw_log_in(*, asks_password: bool, asks_token: bool, problem: str = "") -> str:
    """The whole page, with the fields that are asked for, and what was wrong with the last try."""
    forms = []
    if asks_password:
        forms.append(
            _draw_input(
                "name", say("login.name"), "text", 'autocomplete="username" autocapitalize="none" spellcheck="false"'
            )
            + _draw_input("password", say("login.password"), "password", 'autocomplete="current-password"')
        )
    if asks_token:
        label = say("login.token_instead" if asks_password else "login.token")
        forms.append(_draw_input("token", label, "password", 'autocomplete="off"'))
    button = f'<button type="submit">{escape(say("login.log_in"))}</button>'
    drawn = "".join(f'<form method="post" action="login">{form}{button}</form>' for form in forms)
    drawn = drawn.replace("<input", "<input autofocus", 1)
    told = (
        f'<p class="wrong" role="alert">{escape(problem)}</p>' if problem else f"<p>{escape(say('login.greeting'))}</p>"
    )
    heading = f"<h1>{escape(say('header.title'))}</h1>"
    return _draw_page(f"<style>{_STYLE}</style>", f"<main>{heading}{told}{drawn}</main>")


def draw_way_in() -> str:
    """A page that leads on to where one logs in."""
    link = f'<a href="login">{escape(say("login.title"))}</a>'
    return _draw_page('<meta http-equiv="refresh" content="0; url=login">', f"<main>{link}</main>")


def _draw_input(name: str, label: str, kind: str, attributes: str) -> str:
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" required maxlength="1024" {attributes}>'
    )


def _draw_page(head: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(say('login.title'))}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,">{head}</head><body>{body}</body></html>'
    )
