"""What the conversation shows of an answer: chips with their words and verdicts, doubts where they stand, refusals."""

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_page import HOSTILE, PIECES, make_answer

from assistant.answers import NEAREST, NOT_FOUND, AnswerSentence, Support
from assistant.citing.citations import number_sentences
from assistant.citing.cited_text import CitedText
from assistant.citing.second_opinion import PENDING
from assistant.serving.page.conversing import Exchange, cut, list_answers, stop, to_messages
from assistant.serving.page.messages import LONGEST_QUOTE_SHOWN, to_markdown
from assistant.serving.page.strings import read_strings
from assistant.showing.markdown import written_to_markdown
from benchmarks.injection import find_live
from index.documents import Passage
from index.splitting.sentences import Sentence

CHIP = re.compile(r'<a href="#cite-0-(\d+)" class="chip ([\w ]+)"(?: title="([^"]*)")?>\1</a>')


def show(text: str, *sentences: AnswerSentence) -> str:
    """A reply, each chip as "<number:verdict>" and each doubt as "<?verdict>"."""
    return written_to_markdown(
        text,
        0,
        sentences,
        lambda number, sentence: f"<{number}:{sentence.support if sentence else '-'}>",
        lambda sentence: "" if sentence.support in ("supported", "no_claim") else f"<?{sentence.support}>",
    )


def say(text: str, *numbers: int, support: Support = "supported") -> AnswerSentence:
    return AnswerSentence(text, numbers, support)


def test_a_chip_says_its_words_where_they_stand_and_the_verdict() -> None:
    answer = make_answer(model="m", text="The tour took three days [1].")
    [citation], [passage] = answer.citations, answer.passages
    answer = replace(
        answer,
        citations=(replace(citation, page=7),),
        passages=(replace(passage, date="2024-05-01"),),
        sentences=(say("The tour took three days.", 1, support="partial"),),
    )
    [(number, verdict, title)] = CHIP.findall(to_markdown(answer, 0))
    assert (number, verdict) == ("1", "partial")
    told = "“The tour took three days.” — tour.md, page 7, 2024-05-01 · only in part borne out by what is cited"
    assert unescape(title) == told


def test_a_chip_names_the_heading_where_there_are_no_pages() -> None:
    answer = make_answer()
    answer = replace(answer, citations=(replace(answer.citations[0], context=("The <tour>", "Days")),))
    assert "— tour.md, Days" in unescape(to_markdown(answer, 0))


@pytest.mark.parametrize("quote", ["word " * 200, "x" * 1000])
def test_a_long_quote_is_shortened_on_its_chip(quote: str) -> None:
    [(_, _, title)] = CHIP.findall(to_markdown(make_answer(quote), 0))
    shown = unescape(title).partition("” — ")[0]
    assert len(shown) <= LONGEST_QUOTE_SHOWN + 1
    assert shown.endswith(" …")


def test_verdicts_that_wait_change_nothing_but_classes_and_words_that_take_no_room() -> None:
    text = "It took three days [1]. It was hot [1]."
    answer = make_answer(model="m", text=text)
    waiting = [replace(say(s, 1, support="unchecked"), reason=PENDING) for s in ("It took three days.", "It was hot.")]
    judged = [say("It took three days.", 1), say("It was hot.", 1, support="unsupported")]
    streamed = written_to_markdown(text, 0)
    before, after = (to_markdown(replace(answer, sentences=tuple(s)), 0) for s in (waiting, judged))
    assert [verdict for _, verdict, _ in CHIP.findall(streamed)] == ["unchecked pending"] * 2
    assert [verdict for _, verdict, _ in CHIP.findall(before)] == ["unchecked pending"] * 2
    assert [verdict for _, verdict, _ in CHIP.findall(after)] == ["supported", "unsupported"]

    def strip(shown: str) -> str:
        return re.sub(r'<span class="reason">.*?</span>', "", CHIP.sub(r"[\1]", shown)).partition("\n\n<small>")[0]

    assert strip(streamed) == strip(before) == strip(after)


def test_a_doubted_sentence_is_marked_where_it_ends() -> None:
    answer = make_answer(model="m", text="The tour took three days [1]. It was **hot.** All left.")
    sentences = (
        say("The tour took three days.", 1),
        replace(say("It was **hot.**", support="unsupported"), reason="the source says <cold>"),
        say("All left.", support="no_claim"),
    )
    shown = to_markdown(replace(answer, sentences=sentences), 0)
    doubt = re.search(
        r'hot\.\*\*<span class="doubt unsupported" tabindex="0" title="([^"]*)">\?(.*?)</span></span> A', shown
    )
    assert doubt
    assert unescape(doubt[1]) == "cites nothing: the source says <cold>"
    # Those who do not see it are told as well.
    assert unescape(doubt[2]) == '<span class="reason"> (cites nothing: the source says <cold>)'
    assert "Read with care: 1 sentence is marked" in shown
    assert not find_live(shown)


def test_several_chips_in_a_row_are_one_group_and_the_reason_follows_the_last() -> None:
    shown = show("A b [1][2] c [3]. D [1].", say("A b c.", 1, 2, 3, support="partial"), say("D.", 1))
    assert shown == 'A b <span class="chips"><1:partial><2:partial></span> c <3:partial><?partial>. D <1:supported>.'


@pytest.mark.parametrize(
    ("text", "sentences", "shown"),
    [
        ("A [1]. B [1].", [say("A.", 1), say("B.", 1, support="partial")], "A <1:supported>. B <1:partial><?partial>."),
        ("A. [1] B. [1]", [say("A.", 1), say("B.", 1, support="partial")], "A. <1:supported> B. <1:partial><?partial>"),
        (
            "A\n\n- [1] B\n- [1] C",
            [say("A", 1, support="partial"), say("- B", 1), say("- C", 1, support="off_topic")],
            "A\n\n- <1:supported> B\n- <1:off_topic><?off_topic> C",
        ),
        ("Use `a[1]`. It is x [1].", [say("Use `a[1]`.", support="unsupported"), say("It is x.", 1)],
         "Use <code>a&#91;1&#93;</code>.<?unsupported> It is x <1:supported>."),
        ("Use `a`\nThen b [1].", [say("Use `a`", support="unsupported"), say("Then b.", 1)],
         "Use <code>a</code><?unsupported>\nThen b <1:supported>."),
        ("| a | b |\n|---|---|\n| c | 5 |", [say("| c | 5 |", support="unsupported")],
         "| a | b |\n|---|---|\n| c | 5<?unsupported> |"),
        ("It is $x^2$.", [say("It is $x^2$.", support="unsupported")], "It is \ufdd0x^2\ufdd1.<?unsupported>"),
        ("A [1].", [say("Quite another.", 1)], "A <1:->."),
        ("It is 3.5 m.\n\nAnd on", [say("It is 3.5 m.", support="unsupported"), say("And on", support="unsupported")],
         "It is 3.5 m.<?unsupported>\n\nAnd on<?unsupported>"),
    ],
)  # fmt: skip
def test_each_chip_belongs_to_its_sentence(text: str, sentences: list[AnswerSentence], shown: str) -> None:
    assert show(text, *sentences) == shown


WORDS = ("The tour took three days.", "Talks were held.", "The king paid $5.", "Nobody slept.")
PASSAGE_TEXT = " ".join(WORDS)
PASSAGE = Passage(
    "d", "a.md", "Notes", None, 0, len(PASSAGE_TEXT), PASSAGE_TEXT, 1.0,
    tuple(Sentence(PASSAGE_TEXT.index(words), PASSAGE_TEXT.index(words) + len(words), "prose") for words in WORDS),
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["The *tour* took days", "Use `x[2]` now", "## On talks", "- A `list` item", "1. Nobody"]),
            st.lists(st.integers(1, 4), max_size=3),
            st.sampled_from([". ", ".\n\n", "\n\n", "! "]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)  # fmt: skip
def test_every_marker_of_a_reply_is_a_chip_of_a_sentence_that_cites_it(
    parts: list[tuple[str, list[int], str]], after_stop: bool
) -> None:
    reply = ""
    for words, numbers, over in parts:
        marks = "".join(f" [{number}]" for number in numbers)
        reply += f"{words}{over.strip()}{marks}{over[1:] or ' '}" if after_stop else f"{words}{marks}{over}"
    cited = CitedText(number_sentences([PASSAGE]))
    cited.feed(reply)
    cited.finish()
    sentences = cited.sentences()
    seen: dict[int, set[int]] = {}

    def chip(number: int, sentence: AnswerSentence | None) -> str:
        assert sentence is not None and number in sentence.citations
        seen.setdefault(next(n for n, one in enumerate(sentences) if one is sentence), set()).add(number)
        return ""

    written_to_markdown(cited.text, 0, sentences, chip)
    assert seen == {place: set(one.citations) for place, one in enumerate(sentences) if one.citations}


def test_where_sources_differ_both_are_shown() -> None:
    answer = make_answer("The bridge at Odden opened in 2020.")
    quote = "The bridge at Odden opened in 2021."
    other = replace(answer.citations[0], number=2, document_id="e", quote=quote)
    answer = replace(
        answer,
        citations=(*answer.citations, other),
        sentences=(*answer.sentences, AnswerSentence(quote, (2,), "supported")),
    )
    for shown in (to_markdown(answer, 0), to_markdown(replace(answer, model="m", text="It opened [1][2]."), 0)):
        assert "2020 [1] · 2021 [2]: the documents differ." in CHIP.sub(r"[\1]", shown)
        assert not find_live(shown)
    same = replace(answer, citations=(answer.citations[0], replace(other, document_id="d")))
    assert "differ" not in to_markdown(same, 0)


# -- what is no answer ------------------------------------------------------------------------


def test_what_the_documents_do_not_say_stands_in_a_box_with_the_nearest_passages() -> None:
    answer = make_answer(found=False)
    passages = [replace(answer.passages[0], title=f"T{n}", page=n) for n in range(5)]
    shown = to_markdown(replace(answer, passages=tuple(passages), notice="Not all was searched: a.pdf"), 2)
    assert shown.startswith(f'<div class="unsaid">\n\n{NOT_FOUND}\n\n')
    assert re.findall(r'href="#near-2-(\d)" class="near" title="([^"]*)">(T\d)</a>', shown) == [
        ("1", "tour&#46;md", "T0"), ("2", "tour&#46;md&#44; page 1", "T1"), ("3", "tour&#46;md&#44; page 2", "T2"),
    ]  # fmt: skip
    assert read_strings()["messages"]["ask_instead"] in shown
    assert shown.endswith("\n\n</div>\n\n<small>Not all was searched: a.pdf</small>")
    assert not find_live(shown)


def test_what_is_only_near_stands_in_a_box_and_a_greeting_does_not() -> None:
    near = to_markdown(replace(make_answer(), status="nearest"), 0)
    assert near.startswith(f'<div class="unsaid">\n\n{NEAREST}\n\n“The tour')
    assert not find_live(near)
    hello = replace(make_answer(found=False), text="Hello. Ask me.", passages=())
    assert to_markdown(hello, 0) == "Hello. Ask me."


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_around_an_answer_is_live(hostile: str) -> None:
    for found in (True, False):
        answer = make_answer(hostile, found=found, query=hostile)
        answer = replace(
            answer,
            notice=hostile,
            citations=tuple(replace(c, path=hostile, title=hostile, context=(hostile,)) for c in answer.citations),
            passages=tuple(replace(p, path=hostile, title=hostile, text=hostile) for p in answer.passages),
            sentences=tuple(replace(s, support="unsupported", reason=hostile) for s in answer.sentences),
        )
        assert not find_live(to_markdown(answer, 0))
        assert not find_live(to_markdown(replace(answer, status="nearest"), 0))


@given(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join))
def test_no_text_is_live_in_a_chip_or_a_doubt(text: str) -> None:
    answer = make_answer(text or "x", model="m", text=f"It is [1]. {text}")
    sentences = (replace(say("It is.", 1, support="partial"), reason=text), say(text, support="unsupported"))
    shown = to_markdown(replace(answer, sentences=sentences), 0)
    assert not find_live(shown)
    assert not re.search("[\ufdd4\ufdd5]", shown)


# -- what can be done with it -----------------------------------------------------------------


def test_only_what_is_over_can_be_asked_again() -> None:
    answer = make_answer()
    over, written = Exchange("a", "b", answer), Exchange("c", "d", written="Half [1", is_over=False)
    messages = [message["content"] for message in to_messages((over, written))]
    assert re.findall(r'href="#(\w+-\d+)"', messages[0]) == ["edit-0"]
    assert re.findall(r'href="#(\w+-\d+)"', messages[1]) == ["copy-0", "share-0"]
    assert messages[2:] == ["c", "d"]
    stopped = stop((over, written))
    assert stopped[1].reply == "Half &#91;1\n\n<small>Stopped.</small>"
    messages = [message["content"] for message in to_messages(stopped)]
    assert re.findall(r'href="#(\w+-\d+)"', "".join(messages[2:])) == ["edit-1", "retry-1", "undo-1"]
    assert not any(map(find_live, messages))


@pytest.mark.parametrize("turn", [None, -1, 2, 10**9])
def test_a_turn_that_there_is_not_cuts_nothing(turn: int | None) -> None:
    talk = (Exchange("a", "b", make_answer()), Exchange("c", "d"))
    assert cut(talk, turn) == (talk, "")
    assert cut((*talk, Exchange("e", "f", is_over=False)), 0)[1] == ""


def test_a_conversation_is_cut_before_a_turn() -> None:
    talk = (Exchange("a", "b", make_answer()), Exchange("c", "d"))
    assert cut(talk, 1) == (talk[:1], "c")
    assert cut(talk, 0) == ((), "a")
    assert list_answers(talk) == list_answers(talk, 0) == [make_answer()]
    assert list_answers(talk, 1) == list_answers(talk, -1) == list_answers(talk, 7) == []
