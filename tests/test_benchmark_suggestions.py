from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.suggestions import Outcome, count_up, measure
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.settings import Settings


def test_each_folder_of_a_folder_is_measured(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "lock").mkdir()
    (folder / "lock" / "lock.md").write_text(
        "# The lock of Hallmoor\n\nThe Hallmoor lock was built in 1891 by Edda Krane.\n", encoding="utf-8"
    )
    [outcome] = measure(folder, settings, 4)
    assert (outcome.name, outcome.passages, outcome.documents) == ("lock", 1, 1)
    assert outcome.right == outcome.suggestions == len(outcome.questions) == 3
    assert ("document", "What is “The lock of Hallmoor” about?") in outcome.questions


def test_a_folder_without_folders_is_told(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="holds no folder"):
        list(measure(tmp_path, settings, 4))


def test_the_figures_are_of_all_folders() -> None:
    outcomes = [Outcome("a", 1, 4, 4, 1, 2, 0.5, ()), Outcome("b", 1, 0, 0, 0, 0, 0.1, ())]
    figures = count_up(outcomes, 4)
    assert figures["folders with all"] == 0.5 and figures["right"] == 1.0 and figures["suggestions"] == 4
