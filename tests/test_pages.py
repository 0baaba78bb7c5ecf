"""Web pages keep the structure that they have, and lose the site around them."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_files import read

_MENU = '<nav><ul><li><a href="/">Home</a><li><a href="/jobs">Jobs at the mill</a></ul></nav>'
_FOOTER = "<footer><p>All rights reserved.</p></footer>"
_STORY = "The mill at the river was built by a miller who came from the north, and it has been at work ever since. "


def read_body(tmp_path: Path, body: str, title: str = "Mill", head: str = "") -> str:
    page = f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{_MENU}{body}{_FOOTER}</body></html>"
    text = read(tmp_path, "a.html", page.encode()).text
    assert "Jobs at the mill" not in text
    assert "rights" not in text
    return text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<h1>Contact us</h1><table><tr><th>Department<th>Phone<tr><td>Sales<td>555-0101<tr><td>Support<td>555-0102"
            "</table><h2>Parking</h2><p>Behind the mill.</p>",
            "# Contact us\n\n- Department: Sales; Phone: 555-0101\n- Department: Support; Phone: 555-0102\n\n"
            "## Parking\n\nBehind the mill.",
        ),
        (
            "<h1>Hours</h1><dl><dt>Monday<dd>7-18<dt>Saturday<dt>Sunday<dd><p>closed</p><dd>but in Advent</dl>"
            "<address>Mill Lane 4<br>Hallmoor</address>",
            "# Hours\n\n- Monday: 7-18\n- Saturday, Sunday: closed; but in Advent\n\nMill Lane 4\nHallmoor",
        ),
        (
            "<h1>Questions</h1><details><summary>Do you deliver?</summary><p>Within five kilometres.</p></details>",
            "# Questions\n\n## Do you deliver?\n\nWithin five kilometres.",
        ),
        (
            "<h1>Guide</h1><ol start=3><li>Open<li value=7>Close<li>Go</ol><ul><li>Anything</ul>"
            "<pre><code>run it\n  --now\n</code></pre><blockquote><p>Mind the gap.</p></blockquote>",
            "# Guide\n\n- 3. Open\n- 7. Close\n- 8. Go\n- Anything\n\n```\nrun it\n  --now\n```\n\n> Mind the gap.",
        ),
        (
            '<h1>Order</h1><form><p><label>Name <input value="Karl Aster"></label></p><label>Size: <select><option>S'
            "<option selected>M</select></label><p><label><input type=radio checked>Gift</label></p>"
            "<textarea>Ring twice</textarea><input type=hidden value=abcdef><button>Send</button></form>",
            "# Order\n\nName: Karl Aster\n\nSize: M\n\n☑ Gift\n\nRing twice",
        ),
        (
            '<div class="cookie-note"><p>We use cookies to make this site better, as everybody does.</p></div>'
            "<h1>Parking</h1><p>Behind the mill.</p><ul><li>Cars: 3 EUR<li>Bicycles: free</ul>",
            "# Parking\n\nBehind the mill.\n\n- Cars: 3 EUR\n- Bicycles: free",
        ),
        (
            '<div><div class="row"><div class="label">Manager</div><div class="value">Karl <b>Aster</b></div></div>'
            '<p class="row"><span class="spec-label">Phone</span><span class="spec-value">555-0101</span></p></div>',
            "# Mill\n\nManager: Karl Aster\n\nPhone: 555-0101",
        ),
        (
            '<div class="menu"><h2>Soups</h2><p>Tomato <span>5.50</span></p><h2>Mains</h2><p>Duck <b>19</b></p></div>',
            "# Mill\n\n## Soups\n\nTomato 5.50\n\n## Mains\n\nDuck 19",
        ),
    ],
)
def test_a_small_page_keeps_its_structure(tmp_path: Path, body: str, text: str) -> None:
    assert read_body(tmp_path, body) == text


def test_a_page_that_is_laid_out_in_a_table_loses_the_columns_of_links_about_its_article(tmp_path: Path) -> None:
    story = "".join(f"<p>{_STORY}{_STORY}This is part {number}.</p>" for number in range(9))
    links = "<br>".join(f'<a href="/{number}">Another story about thing {number}</a>' for number in range(12))
    body = (
        f"<table><tr><td><h1>The history of the mill</h1>{story}</td><td><b>Most read</b><br>{links}</td></tr></table>"
    )
    text = read(tmp_path, "a.html", f"<html><title>Mill</title><body>{body}</body></html>".encode()).text
    assert text.startswith("# The history of the mill\n\nThe mill at the river")
    assert text.endswith("This is part 8.")


def test_a_text_set_in_its_lines_is_code_or_prose(tmp_path: Path) -> None:
    letter = (
        "Dear Sir,\nI write to you about the bridge which has been closed since the\nspring, and which we all need."
    )
    assert read_body(tmp_path, f"<h1>A</h1><pre>{letter}</pre>") == f"# A\n\n{letter}"
    assert read_body(tmp_path, "<h1>A</h1><pre>a = 1\n```\nb</pre>") == "# A\n\na = 1\n```\nb"


def test_an_article_comes_without_its_site_and_with_its_lists(tmp_path: Path) -> None:
    story = "".join(f"<p>{_STORY}{_STORY}This is part {number}.</p>" for number in range(9))
    links = "".join(f'<li><a href="/{number}">Another story about thing {number}</a></li>' for number in range(12))
    body = (
        f'<article><h1>The history of the mill</h1><p class="byline">By Ida Berg</p>{story}'
        "<figure><img src=a.jpg><figcaption>The wheel in 1901</figcaption></figure>"
        "<dl><dt>Built<dd>1742</dl><table><tr><th>Year<th>Tons<tr><td>1900<td>12<tr><td>1950<td>40</table></article>"
        f'<div class="box"><h3>More stories</h3><ul>{links}</ul></div>'
        "<div><p>Subscribe to our letter and never miss a story again.</p></div>"
    )
    text = read_body(tmp_path, body, head='<meta name="author" content="Ida Berg">')
    assert text.startswith("# The history of the mill\n\n- Author: Ida Berg\n\nThe mill at the river")
    assert text.endswith(
        "This is part 8.\n\nThe wheel in 1901\n\n- Built: 1742\n\n- Year: 1900; Tons: 12\n- Year: 1950; Tons: 40"
    )
    assert "By Ida" not in text
    assert "Another story" not in text
    assert "Subscribe" not in text
