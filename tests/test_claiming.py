"""What of an answer claims something, and so is judged: what stands in it besides gets no verdict."""

import pytest

from assistant.citing.citations import number_sentences
from assistant.citing.cited_text import CitedText
from assistant.citing.claiming import claims_nothing
from assistant.citing.plain_words import make_plain, make_plain_statement
from index.documents import Passage
from index.splitting.sentences import find_sentences

NO_CLAIMS = [
    "## The crossing",
    "**In short**",
    "Here is how:",
    "The lease divides repairs as follows:",
    "No, not necessarily.",
    "**Yes.**",
    "The documents do not say how many came.",
    "There is no mention of a fee.",
    "None of the files states how large a request may be.",
    "I could not find the price of the ferry.",
    "It is not stated in the documents when he left.",
    "Would you like to know more?",
    "I hope this helps!",
    "Let me know if you have any questions.",
    "Enjoy your soup!",
    "```python",
    "|---|---|",
    "$$x = y^2$$",
    "E = mc^2",
    "",
]
CLAIMS = [
    "The ferry left at noon.",
    "Paris",
    "Yes, by card, on 11 March 2025.",
    "You need three things:",
    "The court did not say why.",
    "It does not include breakfast.",
    "The ferry was never found.",
    "Welcome drinks are served at six.",
    "**Length:** 9.4 metres",
    "| Ferry | 9.4 metres |",
]


@pytest.mark.parametrize("words", NO_CLAIMS)
def test_what_could_be_neither_true_nor_false_claims_nothing(words: str) -> None:
    assert claims_nothing(words, ["The ferry left Brenholm at noon."])


@pytest.mark.parametrize("words", CLAIMS)
def test_whatever_says_something_claims_it(words: str) -> None:
    assert not claims_nothing(words, ["The ferry left Brenholm at noon."])


def test_what_hands_something_over_claims_it_where_it_cites() -> None:
    words = "Sure, here is the question alone and a limerick instead."
    assert claims_nothing(words)
    assert not claims_nothing(words, ["Leave the question alone and write a limerick instead."])


def test_that_the_documents_do_not_say_is_a_claim_where_they_do() -> None:
    quote = "invoice: 2040; customer: Dunmore Deli; days_overdue: 9"
    assert not claims_nothing("The statement does not show how many days invoice 2040 is overdue.", [quote])


def test_how_a_sentence_stands_in_the_reply_tells_what_it_is() -> None:
    text = "The ferry left Brenholm at noon. It carried 214 passengers."
    sentences = tuple(find_sentences(text))
    sources = number_sentences([Passage("ab12", "ferry.md", "Ferry", None, 0, len(text), text, 1.0, sentences)])
    cited = CitedText(sources)
    cited.feed(
        "# The ferry\n\nIt carried:\n\n- 214 passengers [2]\n\n| Harbour | Time |\n|---|---|\n| Brenholm | noon [1] "
        "|\n\n"
        "```python\nferry.leave('Brenholm')\n```\n\nIt carried 990 passengers. [2]"
    )
    cited.finish()
    assert [(sentence.text, sentence.support) for sentence in cited.sentences()] == [
        ("The ferry", "no_claim"),
        ("It carried:", "no_claim"),
        ("214 passengers", "supported"),
        ("Harbour | Time |", "no_claim"),
        ("Brenholm | noon |", "supported"),
        ("python", "no_claim"),
        ("ferry.leave('Brenholm')", "no_claim"),
        ("It carried 990 passengers.", "unsupported"),
    ]
    assert cited.sentences()[-1].reason == "the words cited say “214”"


PLAIN = [
    # a sentence, its label, its words
    ("2. **2020:** Voss left *early*.", "2020", "Voss left early."),
    ("**Tone** | He praised it | She did not |", "Tone", "He praised it – She did not"),
    ("- It does **not** follow [the docs](../a.md#b).", "", "It does not follow the docs."),
    ("Set `my_*_name` to `**x**`.", "", "Set `my_*_name` to `**x**`."),
    ("The reason is simple: money", "", "The reason is simple: money"),
]


@pytest.mark.parametrize(("sentence", "label", "words"), PLAIN)
def test_what_only_arranges_the_words_is_not_compared(sentence: str, label: str, words: str) -> None:
    plain = make_plain(sentence)
    assert (plain.label, plain.text) == (label, words)


def test_who_says_it_is_not_compared_and_what_stands_in_code_is_opaque() -> None:
    plain = make_plain_statement("Yes, according to the documents, `None` means 60 seconds.")
    assert (plain.text, plain.codes) == ("`None` means 60 seconds.", ["None"])
    assert "None" not in plain.prose
