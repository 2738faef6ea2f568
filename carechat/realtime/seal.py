"""The seal on what processes tell each other, which only those with the secret can make."""

import hmac

from carechat.realtime.wire import GarbledError

SEAL_BYTES = 16


class Seal:
    """Seals and opens; `name` tells apart what one secret is used for, such as two databases."""

    def __init__(self, secret: str, name: str) -> None:
        purpose = f"carechat relay {name}"
        self._key = hmac.digest(secret.encode(), purpose.encode(), "sha256")
        self.channel = f"carechat:{hmac.digest(self._key, b'channel', 'sha256')[:8].hex()}"
        """Where only those talk who could open what is said there."""

    def close(self, data: bytes) -> bytes:
        """Return the bytes, sealed."""
        return self._of(data) + data

    def open(self, data: bytes) -> bytes:
        """Return what was sealed; raises `GarbledError` if it was not, or not with this key."""
        seal, said = data[:SEAL_BYTES], data[SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._of(said)):
            raise GarbledError
        return said

    def _of(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")[:SEAL_BYTES]
