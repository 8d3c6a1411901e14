"""Lucene's regular expressions as `include` and `exclude` take them: matched against whole keys."""

from sealane.model.lucene_regexp import Pattern, regexp


def compile_regex(text: str) -> Pattern:
    """Raises IllegalArgument for an expression that is too long or malformed."""
    return regexp(text, used_in="")
