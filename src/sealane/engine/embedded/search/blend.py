"""One word in several fields as if they were one field: each scores it as about as rare as the others do.

Otherwise the field in which a word hardly occurs would win, because it is so rare there.
"""

from sealane.engine.embedded.search.dictionary import doc_freq
from sealane.engine.embedded.search.leaves import term_on
from sealane.engine.embedded.search.rewrites import as_frequent, documents_with
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError

_WITH_TERMS = (FieldType.TEXT, FieldType.KEYWORD)


def blended_term(
    fields: list[tuple[Field, float]], word: str, lenient: bool, scope: Scope
) -> list[Compiled]:
    """The word in each of the fields, boosted. Raises QueryShardError for a value that does not fit, unless lenient."""
    frequencies = {
        mapped.path: doc_freq(mapped.path, word, scope)
        for mapped, _ in fields
        if mapped.type in _WITH_TERMS and scope.has_column(mapped.path)
    }
    shared = _shared_frequencies(fields, frequencies, scope)
    found = []
    for mapped, boost in fields:
        try:
            term = term_on(mapped, word, scope)
        except ApiError as error:
            if not lenient:
                raise scope.failed(error) from None
            term = NOTHING
        own = frequencies.get(mapped.path, 0)
        if own:
            term = as_frequent(term, mapped, own, shared[mapped.path], scope)
        found.append(term.boosted(boost) if term is not NOTHING else term)
    return found


def _shared_frequencies(
    fields: list[tuple[Field, float]], frequencies: dict[str, int], scope: Scope
) -> dict[str, int]:
    """The greatest frequency for the field that has it, and one more for each step down from it."""
    present = sorted(
        (path for path in frequencies if frequencies[path]), key=lambda path: -frequencies[path]
    )
    if len(frequencies) < 2 or not present:
        return dict(frequencies)
    shared: dict[str, int] = {}
    actual = previous = frequencies[present[0]]
    limits = {
        mapped.path: documents_with(mapped, scope)
        for mapped, _ in fields
        if mapped.path in frequencies
    }
    for path in present:
        if frequencies[path] < previous:
            actual += 1
        shared[path] = min(limits[path], actual)
        previous = frequencies[path]
    return shared
