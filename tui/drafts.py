"""Drafts of jobs that were not saved, kept on this host, so that nothing typed is ever lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

from tocsin.errors import ConfigError

from .editing.draft import Draft


class Kept(msgspec.Struct, frozen=True):
    """A draft, and when it was last written in."""

    draft: Draft
    at_us: int


class Drafts:
    """The drafts of one context, each in a file of its own, mode 0600: jobs may hold secrets."""

    def __init__(self, folder: Path, now_us: Callable[[], int]) -> None:
        self._folder = folder
        self._now_us = now_us

    def path(self, key: str) -> Path:
        """Where the draft of a key is, or would be."""
        return self._folder / f"{quote(key, safe='')}.json"

    def keep(self, key: str, draft: Draft) -> None:
        """Keep a draft, whole or as it was before.

        Raises:
            ConfigError: it cannot be written.
        """
        path = self.path(key)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        data = msgspec.json.encode(Kept(draft, self._now_us()))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123 - Path cannot open a descriptor
                file.write(data)
            beside.replace(path)
        except OSError as error:
            raise ConfigError(
                f"the draft cannot be kept: {error.strerror}: {path}",
                "TOCSIN_HOME names another directory for such files",
            ) from error

    def find(self, key: str) -> Kept | None:
        """The draft of a key; None when there is none that can be read."""
        try:
            return msgspec.json.decode(self.path(key).read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError):
            return None

    def forget(self, key: str) -> None:
        """Keep it no longer."""
        with contextlib.suppress(OSError):
            self.path(key).unlink()
