"""Answers that are kept: the same model, schema, prompt and options need not be run twice.

On disk by diskcache, or on a Redis server. Entries are JSON, never pickled, and their keys hold the version that made
them: what another version kept is not found. A cache that fails counts as empty, and stays out of use.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from harmony_gen.errors import HarmonyError, MissingExtra
from harmony_gen.schema import disk

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 2**30
"""Bytes on disk; beyond that the oldest entries go."""

_PREFIX = "harmony_gen:"
_SECONDS = 5.0
"""How long a server may take to answer."""

OFF = "off"


class _Store(Protocol):
    def get(self, key: str) -> Any: ...

    def set(self, key: str, value: bytes) -> Any: ...

    def close(self) -> Any: ...


class Cache:
    """What is kept under keys.

    Attributes:
        trouble: why it is out of use; None as long as it works.
    """

    def __init__(self, store: _Store | None) -> None:
        self._store = store
        self.trouble: str | None = None

    def get(self, key: str) -> dict[str, Any] | None:
        """What is kept under a key; None if nothing is, or nothing that can be read."""
        data = self._asked("get", key)
        try:
            value = json.loads(data) if isinstance(data, bytes) else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def set(self, key: str, value: dict[str, Any]) -> None:
        """Keeps a value, which is JSON."""
        self._asked("set", key, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def _asked(self, name: str, *arguments: Any) -> Any:
        if self._store is None:
            return None
        try:
            return getattr(self._store, name)(*arguments)
        except Exception as error:  # noqa: BLE001 - sqlite3, diskcache and redis have errors of their own
            self.trouble, self._store = f"{type(error).__name__}: {error}", None
            return None

    def close(self) -> None:
        """Lets go of files and connections."""
        self._asked("close")
        self._store = None


def open_cache(place: str | Path | None) -> Cache:
    """Opens a cache.

    Args:
        place: a folder; the URL of a Redis server (redis, rediss or unix); "off"; or None for the user's own folder,
            see `harmony_gen.schema.disk`.

    Raises:
        MissingExtra: the package redis is needed.
        HarmonyError: the folder cannot be written to, or the server does not answer.
    """
    if place is None:
        home = disk.folder()
        place = OFF if home is None else home / "answers"
    if place == OFF:
        return Cache(None)
    try:
        return Cache(_Redis(str(place)) if "://" in str(place) else _disk_store(place))
    except HarmonyError:
        raise
    except Exception as error:
        where = str(place).rpartition("@")[2]  # a URL may hold a password
        raise HarmonyError(f'The cache {where} cannot be used: {error}. Another place, or "off", will do.') from error


def _disk_store(place: str | Path) -> _Store:
    import diskcache

    class _Bytes(diskcache.Disk):  # type: ignore[misc] # it has no types
        """Reads what was stored as bytes: whoever can write there cannot have anything run."""

        def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
            if mode not in (diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY):
                return None
            return super().fetch(mode, filename, value, read)

    store: _Store = diskcache.Cache(
        str(place), disk=_Bytes, size_limit=LARGEST, eviction_policy="least-recently-stored"
    )
    return store


class _Redis:
    """The same on a server."""

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtra("redis", "redis") from error
        self._client: Any = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        self._client.ping()

    def get(self, key: str) -> Any:
        return self._client.get(_PREFIX + key)

    def set(self, key: str, value: bytes) -> Any:
        return self._client.set(_PREFIX + key, value)

    def close(self) -> None:
        self._client.close()
