"""The documents over HTTP: what is listed, read, drawn and found, behind the guard, and what is refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from guarded_server import Nothing
from hashed import HashEmbedding, open_store
from lxml import html as parser
from made_files import make_pdf
from test_viewing_pages import MAIL

from assistant.serving.guard import Guard, Streams
from assistant.serving.routes import documents
from assistant.serving.served import Served
from index.documents import identify
from index.library import Library, finish
from index.settings import Settings

HANDBOOK = (
    "# Handbook\n\n- Author: Karl Aster\n\nThe ferry leaves at **nine**. <script>alert(1)</script>\n\nSee Müller.\n"
)
RATES = "City,Grade,Rate\nOslo,Staff,12\nRome,Chief,14\n"
PAGES = [f"Page {number} says that boat {number} is blue." for number in range(1, 13)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    import base64

    folder = tmp_path_factory.mktemp("documents")
    (folder / "handbook.md").write_text(HANDBOOK)
    (folder / "rates.csv").write_text(RATES)
    (folder / "boats.pdf").write_bytes(make_pdf(PAGES, info="/Title (The boats) /CreationDate (D:20240301)"))
    (folder / "mail.eml").write_text(MAIL.format(base64.encodebytes(make_pdf(["The plan is simple."])).decode()))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (folder / "changed.pdf").write_bytes(make_pdf(["It was so."]))
    store = open_store(folder, tmp_path_factory.mktemp("stores"))
    library = Library(folder, store, HashEmbedding(), Settings.from_environment({}))
    finish(library.sync())
    (folder / "changed.pdf").write_bytes(make_pdf(["It is other now."]))
    yield library
    store.close()


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(documents.make_router(Served({"boats": library, "again": library}, library.settings)))
    guard = Guard(app, Streams(), {}, Nothing(), own=documents.OPEN)
    server = uvicorn.Server(uvicorn.Config(guard, port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        yield client
    server.should_exit = True
    thread.join()


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    reply = client.get(f"/api/documents{path}", params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_link_leads_to_a_page_by_itself(client: httpx.Client) -> None:
    start = HANDBOOK.index("nine")
    identity, query = identify("handbook.md"), {"as": "page", "cited": f"{start}-{start + 4}", "end": len(HANDBOOK)}
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    reply = client.get(f"/api/documents/{identity}/text", params=query, headers=link)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = parser.fromstring(reply.text)
    assert page.xpath("string(//title)") == "Handbook"
    assert [mark.text_content() for mark in page.xpath("//mark")] == ["nine"]
    assert "<script>alert(1)</script>" in page.xpath("string(//main)")
    assert not page.xpath("//script | //img | //iframe | //link | //a | //form | //@onclick | //@src")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    # Nothing else of ours may be led to, and no other page may put this one into a frame of its own.
    for path, dest in ((f"/api/documents/{identity}", "document"), (f"/api/documents/{identity}/text", "iframe")):
        assert client.get(path, params=query, headers={**link, "sec-fetch-dest": dest}).status_code == 403


def refuse(client: httpx.Client, path: str, **query: Any) -> tuple[int, str]:
    reply = client.get(f"/api/documents{path}", params=query)
    return reply.status_code, reply.json()["detail"]


def at(path: str, what: str = "") -> str:
    return f"/{identify(path)}{what}"


def test_what_there_is_and_what_was_skipped_is_listed(client: httpx.Client) -> None:
    listed = get(client, "")
    assert [row["path"] for row in listed["documents"]] == [
        "boats.pdf", "changed.pdf", "handbook.md", "mail.eml", "mail.eml/plan.pdf", "rates.csv"
    ]  # fmt: skip
    assert (listed["total"], listed["all"], listed["start"]) == (6, 6, 0)
    assert listed["documents"][0] == {
        "id": identify("boats.pdf"), "path": "boats.pdf", "title": "The boats", "date": "2024-03-01",
        "size_bytes": len(make_pdf(PAGES, info="/Title (The boats) /CreationDate (D:20240301)")),
        "passages": listed["documents"][0]["passages"], "pages": 12, "kind": "pages", "state": "whole", "unread": "",
    }  # fmt: skip
    assert [row["kind"] for row in listed["documents"]] == ["pages", "pages", "text", "text", "pages", "grid"]
    (skipped,) = listed["skipped"]
    assert (skipped["path"], skipped["state"], listed["skipped_total"]) == ("broken.pdf", "skipped", 1)
    assert "damaged" in skipped["reason"]


def test_a_list_is_sorted_filtered_and_cut(client: httpx.Client) -> None:
    names = [row["path"] for row in get(client, "", sort="-path", start=1, count=2)["documents"]]
    assert names == ["mail.eml/plan.pdf", "mail.eml"]
    assert get(client, "", sort="date")["documents"][0]["path"] == "boats.pdf"
    sizes = [row["size_bytes"] for row in get(client, "", sort="-size")["documents"]]
    assert sizes == sorted(sizes, reverse=True)
    for order in ("title", "-date", "passages", "-passages"):
        assert get(client, "", sort=order)["total"] == 6
    filtered = get(client, "", filter="BÔATS the")
    assert ([row["path"] for row in filtered["documents"]], filtered["total"], filtered["all"]) == (["boats.pdf"], 1, 6)
    assert filtered["skipped_total"] == 0
    assert get(client, "", count=0)["documents"] == []
    assert get(client, "", start=99)["documents"] == []
    assert refuse(client, "", sort="path; DROP")[0] == 400
    assert refuse(client, "", start="-1")[0] == 400
    assert refuse(client, "", count="9" * 30)[0] == 400


def test_one_document_is_described(client: httpx.Client) -> None:
    shown = get(client, at("handbook.md"))
    assert (shown["title"], shown["author"], shown["kind"]) == ("Handbook", "Karl Aster", "text")
    assert (shown["characters"], shown["ratios"], shown["name"]) == (len(HANDBOOK), None, "handbook.md")
    assert get(client, at("boats.pdf"))["ratios"] == [round(612 / 792, 5)] * 12
    changed = get(client, at("changed.pdf"))
    assert changed["ratios"] is None
    assert "has changed" in changed["undrawable"]


def test_a_text_is_shown_with_what_is_cited_marked(client: httpx.Client) -> None:
    start = HANDBOOK.index("The ferry")
    window = get(client, at("handbook.md", "/text"), cited=f"{start}-{start + 29}")
    assert (window["start"], window["end"], window["total"]) == (0, len(HANDBOOK), len(HANDBOOK))
    assert (window["has_before"], window["has_after"]) == (False, False)
    page = parser.fragment_fromstring(f"<main>{window['html']}</main>")
    (mark,) = page.xpath("//mark")
    assert "".join(mark.itertext()) == HANDBOOK[start : start + 29]
    assert page.xpath("//strong")
    assert not page.xpath("//script")
    assert "<script>alert(1)</script>" in "".join(page.itertext())
    row = get(client, at("rates.csv", "/text"), cited="37-66")
    assert [e.get("class") for e in parser.fromstring(row["html"]).xpath("//tbody/tr")] == [None, "cited"]


@pytest.mark.parametrize(
    "query",
    [{"start": "x"}, {"start": "-1"}, {"end": "1e9"}, {"cited": "5"}, {"cited": "9-5"}, {"cited": "1-2;3-4"},
     {"cited": ",".join(["1-2"] * 101)}, {"start": "٣"}, {"cited": "1-99999999999"}],
)  # fmt: skip
def test_numbers_that_are_none_are_refused(client: httpx.Client, query: dict[str, str]) -> None:
    status, sentence = refuse(client, at("handbook.md", "/text"), **query)
    assert status == 400
    assert sentence.endswith(".")


def test_numbers_beyond_the_text_show_its_end(client: httpx.Client) -> None:
    assert get(client, at("handbook.md", "/text"), start="9999999999")["html"] == ""
    assert get(client, at("handbook.md", "/text"), cited="5000-6000,0-9999999999")["end"] == len(HANDBOOK)


def test_a_page_is_drawn_once_for_a_browser_that_has_it(client: httpx.Client) -> None:
    path = f"/api/documents{at('boats.pdf', '/page/3')}"
    page = client.get(path, params={"scale": "1.5"})
    assert page.status_code == 200
    assert page.headers["content-type"] == "image/jpeg"
    assert page.headers["cache-control"] == "private, no-cache"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.content.startswith(b"\xff\xd8\xff")
    again = client.get(path, params={"scale": "1.5"}, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(path, params={"scale": "2"}, headers={"If-None-Match": page.headers["etag"]})
    assert other.status_code == 200


def test_what_is_cited_has_its_boxes(client: httpx.Client) -> None:
    text = get(client, at("boats.pdf", "/find"), words="boat 7")
    (place,) = text["places"]
    assert (place["page"], text["is_all"]) == (7, True)
    boxes = get(client, at("boats.pdf", "/boxes"), cited=f"{place['start']}-{place['end']}")
    assert [(box["start"], box["end"], box["page"]) for box in boxes] == [(place["start"], place["end"], 7)]
    assert all(0 <= boxes[0][edge] <= 1 for edge in ("left", "top", "width", "height"))
    (inner,) = get(client, at("mail.eml/plan.pdf", "/boxes"), cited="4-8")
    assert (inner["page"], inner["start"]) == (1, 4)
    assert get(client, at("handbook.md", "/boxes"), cited="0-5") == []
    assert get(client, at("boats.pdf", "/boxes")) == []
    assert get(client, at("boats.pdf", "/boxes"), cited="9000-9999") == []


def test_words_are_found_in_any_case_and_without_accents(client: httpx.Client) -> None:
    (place,) = get(client, at("handbook.md", "/find"), words="mÜLLER")["places"]
    assert HANDBOOK[place["start"] : place["end"]] == "Müller"
    assert place["page"] is None
    assert get(client, at("handbook.md", "/find"), words=" ") == {"places": [], "is_all": True}
    assert refuse(client, at("handbook.md", "/find"), words="x" * 300)[0] == 400


def test_what_is_not_there_is_said_to_be_none(client: httpx.Client) -> None:
    assert refuse(client, "/0123456789abcdef") == (
        404, "There is no document of this id: it may have been removed since."
    )  # fmt: skip
    assert refuse(client, at("boats.pdf", "/page/13")) == (404, "The document has no such page.")
    assert refuse(client, at("boats.pdf", "/page/0"))[0] == 404
    assert refuse(client, at("handbook.md", "/page/1"))[0] == 404
    assert refuse(client, at("boats.pdf", "/page/1"), scale="1e99")[0] == 400
    status, sentence = refuse(client, at("boats.pdf"), library="none")
    assert (status, "choose one of boats, again" in sentence) == (404, True)
    assert get(client, at("boats.pdf"), library="again")["title"] == "The boats"


def test_a_file_that_has_changed_is_not_drawn_and_its_text_stays(client: httpx.Client) -> None:
    for what in ("/page/1", "/boxes"):
        status, sentence = refuse(client, at("changed.pdf", what), cited="0-5")
        assert (status, "has changed" in sentence) == (409, True)
    assert "It was so." in get(client, at("changed.pdf", "/text"))["html"]


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/%2e%2e%2fsecret", "/boats.pdf", "/0123456789ABCDEF", "/0123456789abcdef/page/x", "/x/page/1/2",
     "/0123456789abcdef/page/-1", "/0123456789abcdef/raw", "//etc/passwd", "/0123456789abcdef/text/"],
)  # fmt: skip
def test_no_other_address_is_answered(client: httpx.Client, path: str) -> None:
    reply = client.get(f"/api/documents{path}")
    assert (reply.status_code, reply.json()["detail"]) == (404, "There is nothing here.")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_nothing_can_be_done_by_these_addresses(client: httpx.Client, method: str) -> None:
    assert client.request(method, f"/api/documents{at('boats.pdf')}").status_code in (400, 404)


def test_a_foreign_page_learns_nothing(client: httpx.Client) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        assert client.get(f"/api/documents{at('boats.pdf', '/page/1')}", headers=headers).status_code in (403, 421)


def test_many_pages_are_drawn_at_once(client: httpx.Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def draw(number: int) -> tuple[int, str]:
        reply = client.get(f"/api/documents{at('boats.pdf', f'/page/{number}')}", params={"scale": "0.5"})
        return reply.status_code, hashlib.sha256(reply.content).hexdigest()

    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(draw, range(1, 13)))
    assert {status for status, _ in drawn} == {200}
    assert len({content for _, content in drawn}) == 12
