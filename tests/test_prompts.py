"""The wording is rendered strictly: every field and no other, and values are left as they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prompts
from prompts import PromptError, render

FOLDER = Path(prompts.__file__).parent
FIELDS: dict[str, set[str]] = {
    "answer_rules": {"not_found", "fence"},
    "answer_request": {"fence", "sources", "turns", "question"},
    "check_request": {"fence", "question", "sentences", "lines"},
    "check_rules": {"fence"},
    "rewrite_rules": {"fence", "about_answer"},
    "rewrite_request": {"fence", "turns", "question"},
    "trial_rules": set(),
    "trial_request": set(),
    "turns": {"fence", "turns"},
    "turns_restated": {"fence", "turns"},
    "turns_extended": {"fence", "turns"},
    "source": {"title", "path", "date", "sentences"},
}


def test_every_template_has_the_fields_that_are_known_of_it() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(FIELDS)
    for name, fields in FIELDS.items():
        render(name, **dict.fromkeys(fields, "x"))


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in FIELDS.items() for field in sorted(fields)]
)
def test_a_missing_field_is_an_error(name: str, field: str) -> None:
    given_fields = dict.fromkeys(FIELDS[name] - {field}, "x")
    with pytest.raises(PromptError, match=f"missing \\['{field}'\\]"):
        render(name, **given_fields)


@pytest.mark.parametrize("name", FIELDS)
def test_an_unknown_field_is_an_error(name: str) -> None:
    with pytest.raises(PromptError, match=r"unknown \['colour'\]"):
        render(name, **dict.fromkeys(FIELDS[name], "x"), colour="red")


def test_a_template_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        render("no_such_template")


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_a_value_holds_is_left_as_it_is(title: str, sentences: str) -> None:
    rendered = render("source", title=title, path="$title", date="", sentences=sentences)
    assert rendered == f"Document: {title} ($title)\n{sentences}"


@pytest.mark.parametrize("value", ["$question", "${question}", "$$", "$", "{question}", "{0}", "%s", "\\1", "$fence\n"])
def test_a_dollar_or_a_brace_in_a_value_fills_nothing(value: str) -> None:
    rendered = render("answer_request", fence="=== f ===", sources=value, turns="", question="Why?")
    assert rendered.startswith(f"=== f ===\n{value}\n=== f ===\n\nQuestion: Why?\n")


def test_the_rules_tell_the_token_and_the_fence() -> None:
    rules = render("answer_rules", not_found="NOT_IN_DOCUMENTS", fence="=== f ===")
    assert rules.count("NOT_IN_DOCUMENTS") == rules.count("=== f ===") == 1
    assert "$" not in rules
