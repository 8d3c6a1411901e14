"""How much memory request bodies may take together. What each alone may take is `http.max_content_length`."""

from sealane.errors import CircuitBreaking
from sealane.settings import bytes_text


class Room:
    """Counts the bytes of bodies that came in parts or unfolded; small ones come whole and are not counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0

    def take(self, count: int) -> int:
        """`count`, which is to be given back in the end. Raises CircuitBreaking where there is no room for so much."""
        wanted = self.taken + count
        if wanted > self._limit:
            raise CircuitBreaking(
                "[in_flight_requests] Data too large, data for [<http_request>] would be "
                f"[{wanted}/{bytes_text(wanted)}], which is larger than the limit of "
                f"[{self._limit}/{bytes_text(self._limit)}]",
                metadata={
                    "bytes_wanted": wanted,
                    "bytes_limit": self._limit,
                    "durability": "TRANSIENT",
                },
            )
        self.taken = wanted
        return count

    def give_back(self, count: int) -> None:
        self.taken -= count
