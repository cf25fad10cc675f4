"""The house's public keys: fetched seldom, kept when the server is away, renewed when a pass names one that is new."""

import threading
import time
from typing import Any, Final

import jwt
from jwt import PyJWKClient, PyJWKSet

FETCH_SECONDS: Final = 3
AGAIN_SECONDS: Final = 10
"""Between two tries: nobody makes the guard fetch more often, whatever keys they make up."""


class NoKeys(Exception):
    """No keys were ever to be had."""


class Keys:
    """Public keys by their id, from an address (RFC 7517)."""

    def __init__(self, address: str, fresh_seconds: int = 300) -> None:
        self._client = PyJWKClient(address, cache_keys=False, cache_jwk_set=False, timeout=FETCH_SECONDS)
        self._fresh_seconds = fresh_seconds
        self._found: dict[str, Any] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()
        self.is_away = False
        """Whether the last try failed."""

    def refresh(self, older_than_seconds: float) -> None:
        """Fetches the keys if they are older than that, and were not tried just now; else leaves them as they are."""
        with self._lock:
            now = time.monotonic()
            if now - self._fetched < older_than_seconds or now - self._tried < AGAIN_SECONDS:
                return
            self._tried = now
            try:
                document = self._client.fetch_data()
                self._found = {key.key_id: key for key in PyJWKSet.from_dict(document).keys if key.key_id}
                self._fetched, self.is_away = now, False
            except (jwt.PyJWTError, ValueError, OSError):
                self.is_away = True

    def key(self, key_id: str) -> Any:
        """The key of that id, or `None`: then nobody has signed with it. Raises `NoKeys`."""
        self.refresh(self._fresh_seconds)
        if key_id not in self._found:
            self.refresh(0)
        if not self._found:
            raise NoKeys
        return self._found.get(key_id)
