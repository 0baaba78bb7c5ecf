"""A part of a document as a page by itself, for who follows a link from another program: it loads and runs nothing."""

from __future__ import annotations

from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif;
  overflow-wrap: anywhere; }
header { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-bottom: 1rem; }
header p { opacity: .75; font-size: .875em; }
main > * { unicode-bidi: plaintext; text-align: start; }
mark { background: #ffd76a; color: #1d1600; border-radius: .2em; scroll-margin: 30vh; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .25em .6em; text-align: start; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
pre { overflow-x: auto; padding: .6em .8em; background: color-mix(in srgb, currentColor 8%, transparent); }
"""


def write_page(title: str, where: str, body: str, *, has_before: bool, has_after: bool) -> str:
    """The page. body: HTML that is written by `index.viewing.markup`. where: path and date, as text."""
    before, after = ("<p>…</p>" if is_cut else "" for is_cut in (has_before, has_after))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body><header><p><strong>{escape(title)}</strong>"
        f"</p><p>{escape(where)}</p></header>\n<main>{before}\n{body}\n{after}</main></body></html>\n"
    )
