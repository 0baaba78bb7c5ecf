"""Measuring a folder and a model by a file of questions: the file, the judging of an answer, and `footnote eval`."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_server import COMPLETION_TOKENS, PROMPT_TOKENS, OpenAIServer, Request
from typer.testing import CliRunner

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation, Support, Turn, Usage
from assistant.serving.command_line import command
from assistant.serving.evaluating.cases import Case, Evidence, read_cases
from assistant.serving.evaluating.figures import Figure, summarise, to_table
from assistant.serving.evaluating.judging import SHARES, Outcome, _is_in, explain, judge
from assistant.serving.evaluating.runs import to_json
from assistant.serving.evaluating.texts import cover, normalise, stands_in
from assistant.serving.progress import _line
from assistant.writing.silence import NOT_FOUND_TOKEN
from index.documents import Passage, Progress
from index.embedding.protocol import Embedding
from index.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "benchmarks" / "sample_questions.jsonl"
FERRY = "Captain Ida Voss steers the Brenholm ferry."
LIGHTS = "Tarnsund has four lighthouses."
BRIDGE = "The bridge to Odden was closed in March 2021."


def make_answer(
    *sentences: tuple[str, Sequence[str], Support],
    passages: Sequence[str] = (FERRY, LIGHTS, BRIDGE),
    path: str = "a.txt",
    usage: Usage | None = None,
    notice: str = "",
) -> Answer:
    """An answer of (text, quotes, support) sentences, or a refusal where there are none."""
    citations: list[Citation] = []
    said = []
    for text, quotes, support in sentences:
        numbers = range(len(citations) + 1, len(citations) + 1 + len(quotes))
        citations += [Citation(n, "id", path, "a", None, 0, len(q), q) for n, q in zip(numbers, quotes, strict=True)]
        said.append(AnswerSentence(text, tuple(numbers), support))
    return Answer(
        question="?",
        query="?",
        text=" ".join(f"{s.text} {''.join(f'[{n}]' for n in s.citations)}" for s in said) or NOT_FOUND,
        status="answered" if said else "not_found",
        confidence=1.0,
        model=None,
        usage=usage,
        sentences=tuple(said),
        citations=tuple(citations),
        passages=tuple(Passage("id", path, "a", None, 0, len(text), text, 1.0, ()) for text in passages),
        notice=notice,
    )


# -- comparing texts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("  Two\n\twords ", "two words"),
        ("non\u00a0breaking", "non breaking"),
        ("“Quoted” ‘so’, it’s", "\"quoted\" 'so', it's"),
        ("2019–2028 — a term−long", "2019-2028 - a term-long"),
        ("**38** billion", "38 billion"),
        ("STRASSE Straße", "strasse strasse"),
        ("of\ufb01ce soft\u00adhyphen zero\u200bwidth", "office softhyphen zerowidth"),
        ("", ""),
    ],
)
def test_texts_are_compared_without_case_and_typography(text: str, normalised: str) -> None:
    assert normalise(text) == normalised
    assert normalise(normalised) == normalised


@pytest.mark.parametrize(
    ("wanted", "text", "stands"),
    [
        ("ida voss", "Captain Ida\nVoss steers.", True),
        ("“four”", 'It has "four" of them.', True),
        ("no", "It is not so.", False),
        ("No,", "No, it does not.", True),
        ("7", "17 ships", False),
        ("7", "7,000 ships", False),
        ("000", "7,000 ships", False),
        ("3", "3.8 billion", False),
        ("8", "3.8 billion", False),
        ("2025", "It was in 2025.", True),
        ("2025", "in 2025, or so", True),
        ("5", "5km", True),
        ("lighthouse", "four lighthouses", False),
        ("house", "four lighthouses", False),
        ("x-ray", "an X‑ray", True),
        ("C++", "written in C++.", True),
        ("$5", "it costs US$5.", True),
        ("東京", "首都は東京都です", True),
        ("AI", "AI技術", True),
        ("서울", "서울은 수도이다", True),
        ("Москва", "В Москве", False),
        ("a.b", "axb", False),
        ("", "anything", False),
    ],
)
def test_a_string_stands_in_a_text_as_whole_words_and_numbers(wanted: str, text: str, stands: bool) -> None:
    assert stands_in(wanted, text) is stands


@pytest.mark.parametrize(
    ("wanted", "texts", "share"),
    [
        ("abcd efgh", ["ABCD-EFGH"], 1.0),
        ("abcd efgh", ["say abcd efgh now"], 1.0),
        ("abcd efgh", ["efgh"], 0.5),
        ("abcd efgh", ["before abcd"], 0.5),
        ("abcd efgh", ["efgh after"], 0.5),
        ("abcd efgh", ["before abcd", "efgh after"], 1.0),
        ("abcd efgh", ["efgh", "gh after"], 0.5),
        ("abcd efgh", ["xyz"], 0.0),
        ("abcd efgh", [], 0.0),
        ("abcd efgh", ["", "..."], 0.0),
        ("a hyphen-\nated line", ["A hyphenated line"], 1.0),
        ("...", ["anything"], 0.0),
    ],
)
def test_how_much_of_a_text_others_cover(wanted: str, texts: list[str], share: float) -> None:
    assert cover(wanted, texts) == share


@given(st.text(alphabet="abc .", max_size=12), st.lists(st.text(alphabet="abc .", max_size=12), max_size=4))
def test_cover_is_a_share_that_more_texts_never_lower(wanted: str, texts: list[str]) -> None:
    shares = [cover(wanted, texts[:count]) for count in range(len(texts) + 1)]
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)
    assert cover(wanted, [*texts, wanted]) == float(any(c.isalpha() for c in wanted))


# -- judging an answer ------------------------------------------------------------------------

STEERS = Case(1, "Who steers the ferry?", ("Ida Voss",), (Evidence(FERRY),))
UNSAID = Case(1, "Who built the ferry?", answerable=False)
RIGHT = ("Ida Voss steers it.", [FERRY], "supported")
NEXT_TO_IT: tuple[str, list[str], Support] = ("It has four.", [LIGHTS], "partial")
SUPPORTED = {"sentences_supported": 1.0, "sentences_partial": 0.0, "sentences_unsupported": 0.0}
ALL_RIGHT = {
    "refused_answerable": 0.0,
    "nearest_answerable": 0.0,
    "retrieval_hit": 1.0,
    "evidence_recall": 1.0,
    "answer_correct": 1.0,
    "citation_precision": 1.0,
    "citation_recall": 1.0,
    **SUPPORTED,
}


@pytest.mark.parametrize(
    ("case", "answer", "shares", "wrong"),
    [
        pytest.param(STEERS, make_answer(RIGHT), ALL_RIGHT, "", id="all right"),
        pytest.param(
            STEERS,
            make_answer(),
            {
                "refused_answerable": 1.0,
                "nearest_answerable": 0.0,
                "retrieval_hit": 1.0,
                "evidence_recall": 0.0,
                "answer_correct": 0.0,
            },
            "refused",
            id="refused",
        ),
        pytest.param(
            STEERS,
            make_answer(passages=[LIGHTS]),
            {
                "refused_answerable": 1.0,
                "nearest_answerable": 0.0,
                "retrieval_hit": 0.0,
                "evidence_recall": 0.0,
                "answer_correct": 0.0,
            },
            "refused; no passage found holds it",
            id="not retrieved",
        ),
        pytest.param(
            STEERS,
            make_answer(RIGHT, NEXT_TO_IT),
            {
                **ALL_RIGHT,
                "citation_precision": 0.5,
                "citation_recall": 0.5,
                "sentences_supported": 0.5,
                "sentences_partial": 0.5,
            },
            "",
            id="one sentence beside it",
        ),
        pytest.param(
            STEERS,
            make_answer(("Ida Voss steers it.", [LIGHTS, FERRY], "supported")),
            {**ALL_RIGHT, "citation_precision": 0.5},
            "",
            id="one citation beside it",
        ),
        pytest.param(
            STEERS,
            make_answer(NEXT_TO_IT),
            {
                **ALL_RIGHT,
                "evidence_recall": 0.0,
                "answer_correct": 0.0,
                "citation_precision": 0.0,
                "citation_recall": 0.0,
                "sentences_supported": 0.0,
                "sentences_partial": 1.0,
            },
            "no expected answer stands in: It has four.; cites 0 of 1 evidence strings",
            id="wrong",
        ),
        pytest.param(
            STEERS,
            make_answer(RIGHT, ("She is 50.", [], "unsupported")),
            {**ALL_RIGHT, "citation_recall": 0.5, "sentences_supported": 0.5, "sentences_unsupported": 0.5},
            "unsupported: She is 50.",
            id="unsupported",
        ),
        pytest.param(
            Case(1, "?", ("March 2021",), (Evidence(BRIDGE), Evidence(FERRY))),
            make_answer(("In March 2021.", [BRIDGE], "supported")),
            {**ALL_RIGHT, "evidence_recall": 0.5},
            "cites 1 of 2 evidence strings",
            id="half of the evidence",
        ),
        pytest.param(
            Case(1, "?", (), (Evidence(FERRY, "b.txt"),)),
            make_answer(RIGHT),
            {
                "refused_answerable": 0.0,
                "nearest_answerable": 0.0,
                "retrieval_hit": 0.0,
                "evidence_recall": 0.0,
                "citation_precision": 0.0,
                "citation_recall": 0.0,
                **SUPPORTED,
            },
            "cites 0 of 1 evidence strings; no passage found holds it",
            id="the words in another document",
        ),
        pytest.param(
            Case(1, "?", (), (Evidence(f"{FERRY} {LIGHTS} {BRIDGE}"),)),
            make_answer(RIGHT, passages=[f"{FERRY} {LIGHTS} {BRIDGE}"]),
            {**{k: v for k, v in ALL_RIGHT.items() if k != "answer_correct"}, "evidence_recall": 0.0},
            "cites 0 of 1 evidence strings",
            id="a right citation of too little of the evidence",
        ),
        pytest.param(
            Case(1, "?", ("Ida Voss",)),
            make_answer(("She does.", [FERRY], "supported")),
            {k: (0.0 if k == "answer_correct" else v) for k, v in ALL_RIGHT.items() if k != "evidence_recall"},
            "no expected answer stands in: She does.",
            id="answers alone",
        ),
        pytest.param(
            Case(1, "?"),
            make_answer(RIGHT),
            {"refused_answerable": 0.0, "nearest_answerable": 0.0, **SUPPORTED},
            "",
            id="nothing expected",
        ),
        pytest.param(
            UNSAID,
            replace(make_answer(RIGHT), status="nearest"),
            {"answered_unanswerable": 0.0, "nearest_unanswerable": 1.0, **SUPPORTED},
            "",
            id="no more than the nearest",
        ),
        pytest.param(
            UNSAID, make_answer(), {"answered_unanswerable": 0.0, "nearest_unanswerable": 0.0}, "", id="rightly refused"
        ),
        pytest.param(
            UNSAID,
            make_answer(RIGHT),
            {"answered_unanswerable": 1.0, "nearest_unanswerable": 0.0, **SUPPORTED},
            "answered, though the documents do not say: Ida Voss steers it.",
            id="answered all the same",
        ),
    ],
)
def test_an_answer_is_judged(case: Case, answer: Answer, shares: dict[str, float], wrong: str) -> None:
    assert judge(case, answer) == shares
    assert explain(case, answer, shares) == wrong
    assert set(shares) <= set(SHARES)


def test_what_went_wrong_is_one_line_of_bounded_length() -> None:
    answer = make_answer(("It has\n\nfour. " * 100, [LIGHTS], "partial"))
    wrong = explain(STEERS, answer, judge(STEERS, answer))
    assert "\n" not in wrong
    assert len(wrong) < 250


def test_a_marker_within_an_expected_answer_parts_nothing() -> None:
    answer = make_answer(("Steered by Ida", [FERRY], "supported"), ("Voss.", [FERRY], "supported"))
    assert "Ida [1] Voss" in answer.text
    assert judge(STEERS, answer)["answer_correct"] == 1.0


# -- the figures ------------------------------------------------------------------------------


def make_outcome(seconds: float, usage: Usage | None = None, **shares: float) -> Outcome:
    return Outcome(STEERS, make_answer(RIGHT, usage=usage), shares, seconds, seconds / 2, "")


def test_figures_are_means_over_the_questions_that_they_apply_to() -> None:
    outcomes = [make_outcome(1.0, retrieval_hit=1.0), make_outcome(3.0, retrieval_hit=0.0), make_outcome(2.0)]
    assert summarise(outcomes) == {
        "retrieval_hit": Figure(0.5, 2),
        "seconds_median": Figure(2.0, 3),
        "seconds_p95": Figure(3.0, 3),
        "first_text_seconds_median": Figure(1.0, 3),
    }


def test_of_a_hundred_questions_five_take_longer_than_the_95th_percentile() -> None:
    figures = summarise([make_outcome(float(seconds)) for seconds in range(100, 0, -1)])
    assert (figures["seconds_median"].value, figures["seconds_p95"].value) == (50.0, 95.0)


def test_tokens_and_cost_are_summed_where_the_server_counts_them() -> None:
    outcomes = [make_outcome(1.0, Usage(*tokens, None, 1.0)) for tokens in ((1000, 20), (3000, 40), (None, None))]
    outcomes.append(make_outcome(1.0))
    figures = summarise(outcomes)
    assert figures["prompt_tokens"] == Figure(4000, 2)
    assert figures["completion_tokens"] == Figure(60, 2)
    assert "cost" not in figures
    assert summarise(outcomes, 0.5, 10)["cost"].value == pytest.approx(0.0026)
    assert summarise(outcomes, 0.5, 10)["cost"].questions == 2


def test_nothing_measured_has_no_figures() -> None:
    assert summarise([]) == {}


def test_the_table_and_the_json_say_over_how_many_questions() -> None:
    figures = {"retrieval_hit": Figure(0.5, 2), "prompt_tokens": Figure(4000, 2), "cost": Figure(0.0026, 2)}
    assert to_table("mine", figures).splitlines() == [
        "| mine          | product | 95 %         | questions |",
        "|---------------|---------|--------------|-----------|",
        "| retrieval hit | 0.500   | 0.09 to 0.91 | 2         |",
        "| prompt tokens | 4,000   |              | 2         |",
        "| cost          | 0.0026  |              | 2         |",
    ]
    assert json.loads(to_json("mine", [], figures)) == {
        "set": "mine",
        "groups": {},
        "questions": [],
        "systems": {
            "product": {
                "retrieval_hit": 0.5,
                "retrieval_hit_questions": 2,
                "prompt_tokens": 4000,
                "prompt_tokens_questions": 2,
                "cost": 0.0026,
                "cost_questions": 2,
            }
        },
    }


# -- the file ---------------------------------------------------------------------------------


def test_every_form_of_a_line_is_read(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [
        {"question": " Who? ", "answers": ["a", "b"], "evidence": ["x", {"text": "y"}, {"text": "z", "path": "z.md"}]},
        {"question": "Who\u2028else?", "answerable": False, "history": [["One?", "Yes."], ["Two?", "No."]]},
        {
            "question": "And?",
            "history": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Yes."}],
        },
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    file.write_bytes("\ufeff{}\r\n\r\n{}\n  \n{}".format(*lines).encode())
    assert read_cases(file) == [
        Case(1, "Who?", ("a", "b"), (Evidence("x"), Evidence("y"), Evidence("z", "z.md"))),
        Case(3, "Who\u2028else?", answerable=False, history=(Turn("One?", "Yes."), Turn("Two?", "No."))),
        Case(5, "And?", history=(Turn("One?", "Yes."),)),
    ]


NO_JSON = "it is not JSON in UTF-8; give one JSON object a line, or a table with a column “question”."


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("who?", NO_JSON),
        ('{"question": "Who?"', NO_JSON),
        ('{"question": "Caf\udce9?"}', NO_JSON),
        ("[" * 100_000, NO_JSON),
        ('["Who?"]', 'it is no JSON object; give {"question": "..."}.'),
        ("{}", 'it has no question; give "question": "...".'),
        ('{"question": 7}', 'it has no question; give "question": "...".'),
        ('{"question": "?!"}', "The question is empty: ask something."),
        (
            '{"question": "Who?", "answer": "a", "id": 1}',
            "it has 'answer', 'id'; the fields are question, answers, evidence, answerable, history, rejected, thumb, "
            "draft, note.",
        ),
        ('{"question": "Who?", "answers": "a"}', '"answers" is a list; give [...].'),
        ('{"question": "Who?", "answers": [7]}', '"answers" is a list of strings that are not empty.'),
        ('{"question": "Who?", "answers": [" "]}', '"answers" is a list of strings that are not empty.'),
        ('{"question": "Who?", "evidence": {"text": "a"}}', '"evidence" is a list; give [...].'),
        ('{"question": "Who?", "evidence": ["..."]}', 'each of "evidence" has words.'),
        (
            '{"question": "Who?", "evidence": [{"text": "a", "file": "b"}]}',
            'each of "evidence" is a string, or {"text": "...", "path": "..."}.',
        ),
        ('{"question": "Who?", "answerable": "no"}', '"answerable" is true or false.'),
        (
            '{"question": "Who?", "answerable": false, "answers": ["a"]}',
            "it is not answerable and has answers or evidence; leave out one of the two.",
        ),
        ('{"question": "Who?", "history": "One?"}', '"history" is a list; give [...].'),
        (
            '{"question": "Who?", "history": ["One?"]}',
            "Each turn of the history is an Answer, a (question, answer) pair, or a message with role and content; "
            "got str.",
        ),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b'{"question": "Who?"}\n\n' + line.encode(errors="surrogateescape") + b"\n")
    with pytest.raises(InputError, match=re.escape(f"{file}, line 3: {told}")):
        read_cases(file)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=r"empty\.jsonl holds no question: give a line like"):
        read_cases(tmp_path / "empty.jsonl")


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(.+\): give a file with a question a line\."):
        read_cases(tmp_path / name)


# -- the questions that ship ------------------------------------------------------------------


def test_the_sample_questions_are_sixty_of_every_kind() -> None:
    cases = read_cases(SAMPLES)
    assert (len(cases), len({case.question for case in cases})) == (60, 60)
    assert sum(not case.answerable for case in cases) == 12
    assert sum(bool(case.history) for case in cases) == 8
    assert all(bool(case.answers and case.evidence) == case.answerable for case in cases)


@pytest.mark.parametrize("case", [case for case in read_cases(SAMPLES) if case.answerable], ids=lambda c: c.question)
def test_the_evidence_of_a_sample_question_stands_in_its_document(case: Case) -> None:
    for evidence in case.evidence:
        assert evidence.path
        text = (ROOT / "documents" / evidence.path).read_text(encoding="utf-8")
        assert evidence.text in " ".join(text.split())
    assert any(stands_in(answer, evidence.text) for answer in case.answers for evidence in case.evidence)


@pytest.mark.parametrize(
    ("named", "path", "is_in"),
    [
        (None, "a.eml/b.pdf", True),
        ("a.eml", "a.eml", True),
        ("a.eml", "a.eml/b.pdf", True),
        ("a.eml/b.pdf", "a.eml", False),
        ("a.eml", "a.eml.txt", False),
    ],
)
def test_what_lies_in_a_file_is_evidence_from_the_file(named: str | None, path: str, is_in: bool) -> None:
    assert _is_in(Evidence("He went.", named), path) is is_in


# -- the command ------------------------------------------------------------------------------

QUESTIONS: list[dict[str, Any]] = [
    {"question": "Who steers the Brenholm ferry?", "answers": ["Ida Voss"], "evidence": [FERRY]},
    {"question": "How many lighthouses does Tarnsund have?", "answers": ["five"], "evidence": [LIGHTS]},
    {"question": "Who won the 2022 World Cup?", "answerable": False},
    {
        "question": "When was it closed?",
        "answers": ["March 2021"],
        "evidence": [{"text": BRIDGE, "path": "bridge.md"}],
        "history": [["What is there between Odden and the land?", "A bridge."]],
    },
]


@pytest.fixture
def harbour(folder: Path, embedding: Embedding) -> Path:
    (folder / "ferry.txt").write_text(FERRY, encoding="utf-8")
    (folder / "lights.txt").write_text(LIGHTS, encoding="utf-8")
    (folder / "bridge.md").write_text(f"# The Bridge\n\n{BRIDGE}\n", encoding="utf-8")
    return folder


def write_questions(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def evaluate(*arguments: str | Path) -> Any:
    return CliRunner().invoke(command, ["eval", *map(str, arguments)])


def test_quotations_are_measured(harbour: Path, tmp_path: Path) -> None:
    questions, figures = write_questions(tmp_path / "mine.jsonl", QUESTIONS), tmp_path / "figures.json"
    done = evaluate(questions, "--documents", harbour, "--json", figures)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|")]
    assert lines[:2] == ["4 questions, answered by quotations.", ""]
    assert cells[0] == ["mine", "product", "95 %", "questions"]
    assert ["retrieval hit", "1.000", "0.44 to 1.00", "3"] in cells
    assert ["answer correct", "0.667", "0.21 to 0.94", "3"] in cells
    assert ["answered unanswerable", "0.000", "0.00 to 0.79", "1"] in cells
    assert [row[:4] for row in cells[-3:]] == [
        ["answerable", "0.500", "0.09 to 0.91", "2"],
        ["follow-up", "1.000", "0.21 to 1.00", "1"],
        ["unanswerable", "1.000", "0.21 to 1.00", "1"],
    ]
    assert max(len(line) for line in lines if line.startswith("|")) <= 100
    assert lines[-2:] == [
        "1 went wrong:",
        f"- line 2, “How many lighthouses does Tarnsund have?”: no expected answer stands in: {LIGHTS}",
    ]
    written = json.loads(figures.read_text(encoding="utf-8"))
    product = written["systems"]["product"]
    assert (written["set"], list(written["systems"])) == ("mine", ["product"])
    assert (product["evidence_recall"], product["evidence_recall_questions"]) == (1.0, 3)
    assert (product["refused_answerable"], product["sentences_supported"]) == (0.0, 1.0)
    assert 0 < product["first_text_seconds_median"] <= product["seconds_median"] <= product["seconds_p95"]
    assert not {"prompt_tokens", "cost", "model_failed"} & set(product)


def test_a_language_model_is_measured_with_its_tokens_and_failures(
    harbour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cite_ferry(request: Request) -> str:
        [number] = re.findall(rf"\[(\d+)\] {re.escape(FERRY)}", request.user)
        return f"It is **Ida Voss** [{number}]. She earns 90 crowns."

    rows = [QUESTIONS[0], QUESTIONS[2], QUESTIONS[1]]
    questions, figures = write_questions(tmp_path / "mine.jsonl", rows), tmp_path / "figures.json"
    with OpenAIServer(cite_ferry, NOT_FOUND_TOKEN, 401) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        prices = ("--input-price", "1000", "--output-price", "10000")
        done = evaluate(questions, "--documents", harbour, "--json", figures, *prices)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "3 questions, answered by quotations and scripted-model."
    assert lines[-3] == "2 went wrong:"
    assert lines[-2].startswith("- line 1, “Who steers the Brenholm ferry?”: unsupported: She earns 90 crowns.")
    assert lines[-1].startswith("- line 3, “How many lighthouses does Tarnsund have?”: The language model did not")
    assert "check OPENAI_API_KEY" in lines[-1]
    product = json.loads(figures.read_text(encoding="utf-8"))["systems"]["product"]
    assert (product["model_failed"], product["model_failed_questions"]) == (pytest.approx(1 / 3), 3)
    assert (product["answered_unanswerable"], product["refused_answerable"]) == (0.0, 0.0)
    assert (product["prompt_tokens"], product["prompt_tokens_questions"]) == (2 * PROMPT_TOKENS, 2)
    assert product["completion_tokens"] == 2 * COMPLETION_TOKENS
    assert product["cost"] == pytest.approx((2 * PROMPT_TOKENS * 1000 + 2 * COMPLETION_TOKENS * 10000) / 1e6)


def test_all_right_is_said(harbour: Path, tmp_path: Path) -> None:
    done = evaluate(write_questions(tmp_path / "mine.jsonl", QUESTIONS[:1]), "--documents", harbour)
    assert done.exit_code == 0
    assert done.stdout.endswith("\n0 went wrong.\n")


def test_files_that_were_skipped_are_told(harbour: Path, tmp_path: Path) -> None:
    (harbour / "picture.png").write_bytes(b"GIF89a\0\0\0\0\0\rIHDR\0\0\0\1\0\0\0\1\1\0\0\0\0\x37n\xf9\x24")
    done = evaluate(write_questions(tmp_path / "mine.jsonl", QUESTIONS[:1]), "--documents", harbour)
    assert done.exit_code == 0
    assert done.stderr == f"1 skipped; to see which: footnote sync {harbour}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.jsonl",), "missing.jsonl cannot be read (No such file or directory): give a file"),
        (("broken.jsonl",), "broken.jsonl, line 1: it is not JSON in UTF-8"),
        (("mine.jsonl", "--documents", "missing"), "missing does not exist: check the path."),
        (("mine.jsonl", "--json", "missing/figures.json"), "The folder of missing/figures.json does not exist"),
        (("mine.jsonl", "--documents", "documents", "--json", "documents"), "documents cannot be written (Is a"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(
    harbour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "mine.jsonl", QUESTIONS[:1])
    (tmp_path / "broken.jsonl").write_text("who?\n", encoding="utf-8")
    done = evaluate(*arguments)
    [line] = done.stderr.splitlines()
    assert done.exit_code == 2
    assert line.startswith(f"footnote: {told}")


def test_one_price_alone_is_refused(harbour: Path, tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "mine.jsonl", QUESTIONS[:1])
    done = evaluate(questions, "--documents", harbour, "--input-price", "1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--output-price" in done.stderr


def test_progress_is_told_in_questions() -> None:
    assert _line(Progress("Who\x1b?", 1, 6, "questions"), 2.0) == " 17%, 1 of 6 questions, 10 s left: Who\ufffd?"
    assert _line(Progress("done", 6, 6, "questions"), 12.0) == "100%, 6 of 6 questions: done"
