"""The errors of documents whose completions are none, with the reference's texts and places."""

from sealane.engine.embedded.coercion import BadField
from sealane.engine.embedded.positions import Place, find_value, line_and_column
from sealane.errors import DocumentParsing, ParsingError

_NOT_ONE = "failed to parse ["


def explain_completion(source: bytes, error: BadField) -> DocumentParsing:
    """Where in the document the value stands, and why it is refused."""
    path, cause = error.leaf.source_path, error.bad.cause
    reason = cause.reason
    if reason.startswith(_NOT_ONE):
        place = find_value(source, path, lambda each: not _is_completion(each))
        line, column = line_and_column(source, place.start if place else 0)
        if place is not None and place.in_array:
            reason = reason.replace(f"[{error.leaf.path}]", "[null]", 1)
        bad = ParsingError(reason, line=line, col=column)
        return DocumentParsing(
            f"[{line}:{column}] failed to parse: {reason}", caused_by=bad, root_causes=[bad]
        )
    line, column = line_and_column(source, _offset(source, path, error))
    return DocumentParsing(f"[{line}:{column}] failed to parse: {reason}", caused_by=cause)


def _is_completion(place: Place) -> bool:
    return place.raw in ("{", "[") or place.raw.startswith('"')


def _offset(source: bytes, path: str, error: BadField) -> int:
    reason = error.bad.cause.reason
    if reason.startswith("unknown field name ["):
        name = reason.partition("[")[2].partition("]")[0]
        return max(source.find(f'"{name}"'.encode()), 0)
    member = reason.partition(" ")[0]
    place = find_value(source, f"{path}.{member}", lambda each: not _is_input(each, member))
    return place.start if place else 0


def _is_input(place: Place, member: str) -> bool:
    """Texts, and the array that holds them, are what an input may be."""
    return member == "input" and (place.raw.startswith('"') or place.raw == "[")
