"""Which operations of a shard are there: the checkpoint, and what lies above a gap. Decides only."""

from collections.abc import Iterable, Sequence
from typing import Final

NONE: Final = -1


class SeqNumbers:
    """All numbers up to `checkpoint` are there or known to be superseded; replicas may have some above a gap."""

    def __init__(self, checkpoint: int, later: Iterable[int] = ()) -> None:
        self.checkpoint = checkpoint
        self.highest = checkpoint
        self._above: set[int] = set()
        for seq_no in later:
            self.note(seq_no)

    @property
    def has_holes(self) -> bool:
        return self.checkpoint != self.highest

    def __contains__(self, seq_no: int) -> bool:
        return seq_no <= self.checkpoint or seq_no in self._above

    def note(self, seq_no: int) -> None:
        """An operation that was not there is there now."""
        self.highest = max(self.highest, seq_no)
        if seq_no != self.checkpoint + 1:
            self._above.add(seq_no)
            return
        self.checkpoint = seq_no
        self._connect()

    def note_all(self, seq_nos: Sequence[int]) -> None:
        """Operations that were not there are there now; each once."""
        if not self._above and seq_nos[0] == self.checkpoint + 1:
            end = seq_nos[-1]
            if end - seq_nos[0] + 1 == len(seq_nos) and end == max(seq_nos):
                self.checkpoint = self.highest = end
                return
        for seq_no in seq_nos:
            self.note(seq_no)

    def pass_over(self, up_to: int) -> None:
        """What is missing up to `up_to` is known to be superseded."""
        if up_to <= self.checkpoint:
            return
        self.checkpoint = up_to
        self.highest = max(self.highest, up_to)
        self._above = {seq_no for seq_no in self._above if seq_no > up_to}
        self._connect()

    def return_to(self, seq_no: int) -> None:
        """There is nothing above `seq_no` any more."""
        self.checkpoint = self.highest = seq_no
        self._above.clear()

    def _connect(self) -> None:
        while self._above and self.checkpoint + 1 in self._above:
            self.checkpoint += 1
            self._above.discard(self.checkpoint)
