"""Every error that a user can meet, each a sentence that says what happened and what to do.

FootnoteError
├── InputError       the question or a setting cannot be used
├── FolderError      the documents folder is missing, empty or unreadable
├── StoreError       the store belongs to another version or embedding, or is damaged
├── WeightsError     the embedding model's weights are not to be had
└── ModelError       the language model, or a server's embedding model, did not answer

"The documents do not say" is an `Answer`, not an error.
"""


class FootnoteError(Exception):
    """The root; catch it to catch everything that Footnote raises on purpose."""

    exit_code = 1


class InputError(FootnoteError):
    """The question or a setting cannot be used as given."""

    exit_code = 2


class FolderError(FootnoteError):
    """The documents folder is missing, empty or unreadable."""

    exit_code = 2


class StoreError(FootnoteError):
    """The store belongs to another version or embedding, is damaged, or is held by another process."""


class WeightsError(FootnoteError):
    """The embedding model's weights could neither be found nor fetched."""


class ModelError(FootnoteError):
    """A model of a server did not answer; `retry_helps` says whether asking again may."""

    def __init__(self, message: str, *, retry_helps: bool = False) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps
