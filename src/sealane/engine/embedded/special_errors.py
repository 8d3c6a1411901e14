"""The errors of documents whose values are more than one token: vectors and places; and of aliases."""

from sealane.engine.embedded.coercion import BadField
from sealane.engine.embedded.completion_errors import explain_completion
from sealane.engine.embedded.positions import Place, find_value, line_and_column
from sealane.engine.mapping import FieldType
from sealane.errors import ApiError, DocumentParsing, IllegalArgument, ParseError, ParsingError


class VectorSize(ApiError):
    """More numbers than a vector has dimensions; `place` is the first one too many."""

    es_type, status = "illegal_argument_exception", 400

    def __init__(self, reason: str, place: int) -> None:
        super().__init__(reason)
        self.place = place


class NotNumbers(ApiError):
    """Something else than a number where a vector's are; `token` is what stands there."""

    es_type, status = "parsing_exception", 400


def explain_special(source: bytes, error: BadField, doc_id: str) -> DocumentParsing | None:
    """The error of such a type; None for all others."""
    match error.leaf.type:
        case FieldType.ALIAS:
            place = find_value(source, error.leaf.source_path, lambda each: True)
            at = _at(source, place.start if place else 0)
            return DocumentParsing(f"{at} Cannot write to a field alias [{error.leaf.path}].")
        case FieldType.GEO_POINT:
            return _geo(source, error)
        case FieldType.DENSE_VECTOR:
            return _vector(source, error, doc_id)
        case FieldType.COMPLETION:
            return explain_completion(source, error)
    return None


def _geo(source: bytes, error: BadField) -> DocumentParsing:
    path = error.leaf.source_path
    if isinstance(error.value, list):
        place = find_value(source, path, lambda each: each.raw == "[")
        at = _at(source, place.closing if place else 0)
        reason = error.bad.cause.reason
        if reason != "geo_point expected":
            return DocumentParsing(f"{at} failed to parse: {reason}", caused_by=error.bad.cause)
    else:
        wanted = "{" if isinstance(error.value, dict) else None
        place = find_value(
            source, path, lambda each: each.raw == wanted if wanted else each.raw not in "{["
        )
        at = _at(source, place.closing if place else 0)
    return DocumentParsing(
        f"{at} failed to parse field [{error.leaf.path}] of type [geo_point]",
        caused_by=error.bad.cause,
        root_causes=[error.bad.cause] if isinstance(error.bad.cause, ParseError) else None,
    )


def _vector(source: bytes, error: BadField, doc_id: str) -> DocumentParsing:
    path, cause = error.leaf.source_path, error.bad.cause
    numbers: list[Place] = []

    def listed(place: Place) -> bool:
        if place.raw != "[":
            numbers.append(place)
        return place.raw == "["

    whole = find_value(source, path, listed)
    at = whole.closing if whole else numbers[0].start if numbers else 0
    if isinstance(cause, VectorSize) and cause.place < len(numbers):
        at = numbers[cause.place].start
    if isinstance(cause, NotNumbers):
        first = next((each for each in numbers if not _is_number(each)), None)
        at = first.start if first is not None else at
        line, column = line_and_column(source, at)
        cause = ParsingError(cause.reason, line=line, col=column)
        return DocumentParsing(
            f"{_at(source, at)} failed to parse: {cause.reason}",
            caused_by=cause,
            root_causes=[cause],
        )
    shown = IllegalArgument(cause.reason.replace("{doc}", f"document with id '{doc_id}'"))
    return DocumentParsing(f"{_at(source, at)} failed to parse: {shown.reason}", caused_by=shown)


def _is_number(place: Place) -> bool:
    return place.raw[:1] in "-0123456789"


def _at(source: bytes, offset: int) -> str:
    line, column = line_and_column(source, offset)
    return f"[{line}:{column}]"
