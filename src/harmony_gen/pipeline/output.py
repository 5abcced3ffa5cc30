"""The file that records are written to: it only grows, by whole lines, and outlives whoever writes it.

Beside out.jsonl lies out.jsonl.run, which says what made it, so that nothing else is mixed in; lines that are damaged
are moved to out.jsonl.quarantine. A process killed at any moment leaves whole lines and at most a piece of one, which
is cut off when the file is opened again. A power cut takes at most the last second.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harmony_gen.errors import OutputError
from harmony_gen.pipeline import records
from harmony_gen.pipeline.records import Damage, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 1.0
"""How long lines may wait to be forced to the disk."""


class Output:
    """A file of records, open for more.

    Attributes:
        done: ids of the records it held when it was opened.
        quarantined: numbers of the lines that were moved away then, because they were damaged.
    """

    def __init__(self, path: str | Path, run: Mapping[str, Any], *, force: bool = False, retry: bool = False) -> None:
        """Opens a file, or begins one.

        Args:
            path: of the file; its folder must be there.
            run: what makes the records, as JSON.
            force: go on even if something else made those that are there.
            retry: forget those that are failures.

        Raises:
            OutputError: it cannot be read or written, another process writes to it, or something else made it.
        """
        self._path = Path(path)
        self._retry = retry
        self.done: set[str] = set()
        self.quarantined: list[int] = []
        self._handles: list[int] = []
        self._synced = time.monotonic()
        try:
            with self._told():
                self._open(self._path)
                if not force and os.fstat(self._handle).st_size:
                    self._check(run)
                self._mend()
                self._end = os.fstat(self._handle).st_size
                _replace(self._beside(".run"), json.dumps(run, indent=1).encode() + b"\n")
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._told():
                os.fsync(self._handle)
        finally:
            self._release()

    def append(self, record: Record) -> None:
        """Writes a record, as a whole or not at all.

        Raises:
            OutputError: the disk is full, or fails.
        """
        line = record.line()
        with self._told():
            try:
                _write(self._handle, line)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._handle, self._end)
                raise
            self._end += len(line)
            if time.monotonic() - self._synced > _SECONDS:
                os.fsync(self._handle)
                self._synced = time.monotonic()

    @property
    def _handle(self) -> int:
        return self._handles[-1]

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror}. What it holds is kept; the same call goes on there."
            ) from error

    def _open(self, path: Path) -> None:
        """Opens a file and keeps others from doing so; the one before stays closed to them, too."""
        self._handles.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666))
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"Another process is writing to {self._path}. Wait for it, or end it.") from error

    def _release(self) -> None:
        for handle in self._handles:
            os.close(handle)
        self._handles = []

    def _check(self, run: Mapping[str, Any]) -> None:
        """Raises OutputError if something else made what the file holds."""
        try:
            before = json.loads(self._beside(".run").read_bytes())
            differing = [name for name in run if before.get(name) != run[name]]
        except (FileNotFoundError, ValueError, AttributeError):
            differing = ["origin: there is no readable file beside it that says what made it"]
        if differing:
            raise OutputError(
                f"{self._path} holds records of another {', '.join(differing)}. "
                "Write to another file, or mix them on purpose with force."
            )

    def _mend(self) -> None:
        """Notes what is there, cuts off the piece of a line, and moves damaged lines away."""
        whole, dropped, damaged = 0, 0, []
        for number, found in records.read(self._path):
            if isinstance(found, Damage):
                if not found.torn:
                    damaged.append(found.text)
                    self.quarantined.append(number)
            elif self._is_kept(found):
                whole += 1
            else:
                dropped += 1
        if damaged:
            handle = os.open(self._beside(".quarantine"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            _write(handle, b"".join(text + b"\n" for text in damaged))
            os.close(handle)
        if damaged or dropped:
            self._rewrite()
        else:
            self._cut()

    def _is_kept(self, record: Record) -> bool:
        """Notes a record; one whose id is there already, or that is to be tried again, is not kept."""
        if record.id in self.done or (self._retry and record.error is not None):
            return False
        self.done.add(record.id)
        return True

    def _cut(self) -> None:
        """Cuts off what follows the last line feed."""
        with self._path.open("rb") as file:
            size = sum(len(line) for line in file if line.endswith(b"\n"))
        if size < os.fstat(self._handle).st_size:
            os.ftruncate(self._handle, size)

    def _rewrite(self) -> None:
        """Puts a file in its place that holds only the records that are kept."""
        self.done.clear()
        new = self._beside(".new")
        new.unlink(missing_ok=True)
        self._open(new)
        for _, found in records.read(self._path):
            if isinstance(found, Record) and self._is_kept(found):
                _write(self._handle, found.line())
        os.fsync(self._handle)
        new.replace(self._path)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.replace(path)
