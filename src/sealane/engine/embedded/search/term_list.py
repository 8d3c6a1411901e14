"""The terms of a keyword or address field by their beginning, for completing what somebody types."""

import heapq

from sealane.engine.base import TermsWanted
from sealane.engine.embedded.index_files import mapped_errors
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.dictionary import terms_of_field
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.state import state_of
from sealane.engine.embedded.view import ShardView
from sealane.engine.mapping import FieldType


def list_terms(view: ShardView, wanted: TermsWanted) -> list[str]:
    """Ascending by their bytes, each once; addresses as they are printed, in the order of that text."""
    with mapped_errors():
        scope = Scope(state_of(view), "", 0)
        mapped = view.mapping.get(wanted.field)
        if mapped is not None and mapped.type is FieldType.IP:
            return _addresses(wanted, scope)
        if not wanted.case_insensitive:
            found = terms_of_field(wanted.field, wanted.prefix, scope)
            begins = ""
        else:
            found = terms_of_field(wanted.field, "", scope)
            begins = wanted.prefix.lower()
        after = wanted.after
        fitting = (
            term
            for term in found
            if (after is None or term > after) and (not begins or term.lower().startswith(begins))
        )
        return heapq.nsmallest(wanted.size, fitting)


def _addresses(wanted: TermsWanted, scope: Scope) -> list[str]:
    begins, after = wanted.prefix.lower(), wanted.after
    shown = (values.ip_shown(each) for each in terms_of_field(wanted.field, "", scope))
    fitting = (
        each for each in shown if each.startswith(begins) and (after is None or each > after)
    )
    return heapq.nsmallest(wanted.size, fitting)
