"""What was worked out once and is kept in files: the cache of a user.

It lies in `$HARMONY_GEN_CACHE`, else in `$XDG_CACHE_HOME/harmony_gen`, else in `~/.cache/harmony_gen`; it is off if
`HARMONY_GEN_CACHE` is empty or "off". Entries are JSON with a checksum. One that cannot be read counts as absent, and a
folder that cannot be written to keeps nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

VARIABLE = "HARMONY_GEN_CACHE"
LARGEST = 256 * 2**20
"""Bytes of all entries together; beyond that those go that were not used for the longest time."""

_SUFFIX = ".entry"


def folder() -> Path | None:
    """Where entries lie; None if nothing is kept."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return None if chosen.lower() in ("", "off") else Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(RuntimeError):  # nobody's home
        return (Path(home) if home else Path.home() / ".cache") / "harmony_gen"
    return None


def read(key: str) -> Any:
    """What is kept under a key, a JSON value; None without an entry that can be read."""
    place = folder()
    if place is None:
        return None
    path = place / f"{key}{_SUFFIX}"
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
        if checksum.decode() != sha256(body).hexdigest():
            return None
        value = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # it was used
    return value


def write(key: str, value: Any) -> None:
    """Keeps a JSON value under a key: all of it or nothing, whatever other processes do."""
    place = folder()
    if place is None:
        return
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(place / f"{key}{_SUFFIX}", sha256(body).hexdigest().encode() + b"\n" + body)
        _shrink(place)


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _shrink(place: Path) -> None:
    """Removes what was not used for the longest time, until the rest is small enough."""
    found = [(path.stat(), path) for path in place.glob(f"*{_SUFFIX}")]
    total = sum(status.st_size for status, _ in found)
    for status, path in sorted(found, key=lambda entry: entry[0].st_mtime):
        if total <= LARGEST:
            return
        path.unlink(missing_ok=True)
        total -= status.st_size
