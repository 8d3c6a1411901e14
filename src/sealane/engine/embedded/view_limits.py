"""What an index's settings say of its searches: how far they may reach."""

from collections.abc import Mapping
from typing import Any, TypedDict


class ViewLimits(TypedDict):
    """The fields of ShardView of these names."""

    max_result_window: int
    max_rescore_window: int
    max_slices: int


def view_limits(settings: Mapping[str, Any]) -> ViewLimits:
    return ViewLimits(
        max_result_window=int(settings.get("index.max_result_window", 10_000)),
        max_rescore_window=int(settings.get("index.max_rescore_window", 10_000)),
        max_slices=int(settings.get("index.max_slices_per_scroll", 1_024)),
    )


def max_inner_window(settings: Mapping[str, Any]) -> int:
    """For the view of nested objects."""
    return int(settings.get("index.max_inner_result_window", 100))
