"""What is fuzzed: one function of bytes, and what it may raise."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`run` is given any bytes. It raises one of `refusals` or nothing; all else is a finding, and so is a case that
    takes seconds. It checks by `assert` what must hold of an input that was accepted.

    `seeds` are valid inputs to begin from. `max_len` bounds an input, in bytes; `share` is the weight among all
    targets when cases are handed out. `words` are byte strings that mean something to the reader.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    refusals: tuple[type[BaseException], ...]
    max_len: int = 8192
    share: int = 2
    words: tuple[bytes, ...] = ()
    close: Callable[[], None] = _nothing
    """Gives back what the runs have opened."""

    def check(self, data: bytes) -> bool:
        """Whether the input was accepted. Raises whatever is no refusal."""
        try:
            self.run(data)
        except self.refusals:
            return False
        return True
