"""The errors that rules met lately: one for each subject, the newest `ERRORS_MAX`."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from sealane.errors import ApiError
from sealane.model.followers import AutoFollowError

ERRORS_MAX: Final = 256


class RecentErrors:
    """Kept in memory only, as the reference keeps them."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._kept: OrderedDict[tuple[str, str | None], AutoFollowError] = OrderedDict()

    def put(self, pattern: str, index: str | None, error: ApiError) -> None:
        """Of an index that a rule names, or with `index` None of the rule as a whole."""
        at = (pattern, index)
        subject = pattern if index is None else f"{pattern}:{index}"
        self._kept.pop(at, None)
        self._kept[at] = AutoFollowError(subject=subject, timestamp_ms=self._now_ms(), error=error)
        if len(self._kept) > ERRORS_MAX:
            self._kept.popitem(last=False)

    def clear(self, pattern: str, index: str | None) -> None:
        """What was wrong is not any more."""
        self._kept.pop((pattern, index), None)

    def forget_pattern(self, pattern: str) -> None:
        """The rule is gone."""
        for at in [at for at in self._kept if at[0] == pattern]:
            del self._kept[at]

    def newest_first(self) -> Sequence[AutoFollowError]:
        return tuple(reversed(self._kept.values()))
