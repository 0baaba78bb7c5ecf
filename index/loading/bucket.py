"""A bucket that speaks the protocol of S3: its objects are listed and read, and what fails is said in a sentence.

Who may read it is told by AWS's own variables and files (AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws/...), and where it
lies, if not at Amazon's, by AWS_ENDPOINT_URL. A busy server is asked again, as s3fs does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from index.errors import FolderError
from index.loading.address import Address

PAGE_OBJECTS = 1_000  # that are listed at once, the most that S3 lists
BLOCK_BYTES = 4_000_000  # that are read at once
_CODE = re.compile(r"[A-Za-z0-9]{1,60}")
_UNREAL_CODES = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
)


@dataclass(frozen=True, slots=True)
class Object:
    """What a bucket holds. path: below the address. state: its ETag, another whenever its content is."""

    path: str
    size_bytes: int
    state: str
    modified_ns: int


class RefusedObjectError(Exception):
    """Why one object cannot be read, for people, while others may be."""

    def __init__(self, reason: str, *, is_denied: bool = False) -> None:
        super().__init__(reason)
        self.is_denied = is_denied


class Bucket:
    """The objects below an address. Safe to share between threads."""

    def __init__(self, address: Address) -> None:
        self.address = address
        with self._errors():
            from s3fs import S3FileSystem

            # Not one that is kept for all: keys and roles may be others when it is asked next.
            self._system = S3FileSystem(
                skip_instance_cache=True,
                use_listings_cache=False,
                local_expiry_check=True,
                max_concurrency=1,
                # Each of s3fs's own five tries would else be five, and a lost server be told of after a minute.
                config_kwargs={"retries": {"mode": "standard", "total_max_attempts": 2}},
            )

    def list_page(self, following: str | None) -> tuple[list[Object], str | None]:
        """Some of the objects, by key, and what asks for those that follow, None after the last.

        Raises FolderError where they cannot be had.
        """
        asked = {"ContinuationToken": following} if following else {}
        with self._errors():
            page: dict[str, Any] = self._system.call_s3(
                "list_objects_v2",
                Bucket=self.address.bucket,
                Prefix=self.address.prefix,
                MaxKeys=PAGE_OBJECTS,
                **asked,
            )
            skipped = len(self.address.prefix)
            objects = [
                Object(
                    found["Key"][skipped:],
                    int(found["Size"]),
                    str(found.get("ETag", "")),
                    round(found["LastModified"].timestamp() * 1_000) * 1_000_000,
                )
                for found in page.get("Contents", ())
            ]
            return objects, page.get("NextContinuationToken") if page.get("IsTruncated") else None

    def read(self, found: Object) -> Iterator[bytes]:
        """An object's content, block by block, of the very state that was listed.

        Raises RefusedObjectError where it cannot be had, FolderError where none can.
        """
        with self._errors(found):
            key = f"{self.address.bucket}/{self.address.prefix}{found.path}"
            opened = self._system.open(key, "rb", size=found.size_bytes, cache_type="none")
            opened.details = {"name": key, "size": found.size_bytes, "ETag": found.state}  # or it would be asked for
        with opened:
            left = found.size_bytes
            while left:
                with self._errors(found):
                    block: bytes = opened.read(min(left, BLOCK_BYTES))
                if not block:
                    raise RefusedObjectError("it changed while it was fetched: it is fetched again soon")
                left -= len(block)
                yield block

    @contextmanager
    def _errors(self, found: Object | None = None) -> Iterator[None]:
        """What goes wrong, in a sentence. found: the object that is read, where it is one."""
        try:
            yield
        except Exception as error:
            if not _is_known(error):
                raise
            if found is not None and isinstance(error, FileNotFoundError | PermissionError) and not _is_unreal(error):
                is_denied = isinstance(error, PermissionError)
                told = "it may not be read" if is_denied else "it went while it was fetched"
                raise RefusedObjectError(f"{told}{_say_code(error)}", is_denied=is_denied) from error
            if found is not None and type(error).__name__ == "FileExpired":
                raise RefusedObjectError("it changed while it was fetched: it is fetched again soon") from error
            raise FolderError(f"{self.address} {_explain(error)}") from error


def _is_known(error: Exception) -> bool:
    """Whether something is wrong with the bucket, the way to it, or who asks; not with this program."""
    import asyncio

    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError | OSError | asyncio.TimeoutError) or (
        type(error).__module__.partition(".")[0] == "aiohttp"
    )


def _explain(error: Exception) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return (
            "cannot be read, since there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_PROFILE, or log in as aws configure and aws sso login do."
        )
    if isinstance(error, exceptions.ProfileNotFound):
        return "cannot be read, since there is no such profile as AWS_PROFILE names: set it to another."
    if isinstance(error, FileNotFoundError):
        return f"is not there{_say_code(error)}: check the bucket's name, and AWS_ENDPOINT_URL."
    if _is_unreal(error):
        return f"cannot be read, since the key is not taken{_say_code(error)}: check AWS_ACCESS_KEY_ID, or log in anew."
    if isinstance(error, PermissionError):
        return (
            f"may not be read{_say_code(error)}: give yourself the rights s3:ListBucket and s3:GetObject, or use other "
            "credentials."
        )
    if isinstance(error, exceptions.HTTPClientError | TimeoutError) or _find_code(error) is None:
        return (
            f"could not be reached ({type(error).__name__}): see that the network is there, and check AWS_ENDPOINT_URL."
        )
    return f"could not be read{_say_code(error)}: try again, and check AWS_ENDPOINT_URL and the region."


def _is_unreal(error: Exception) -> bool:
    """Whether who asks is not known, rather than not allowed."""
    return _find_code(error) in _UNREAL_CODES


def _say_code(error: Exception) -> str:
    code = _find_code(error)
    return f" ({code})" if code else ""


def _find_code(error: Exception) -> str | None:
    """What the server calls the error, where it answered; no other word of its own, which might be anything."""
    response = getattr(error.__cause__ or error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
