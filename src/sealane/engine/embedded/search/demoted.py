"""The scores of `boosting` where those of its positive query are not tantivy's."""

import numpy as np
import tantivy

from sealane.engine.embedded.search.scope import Compiled, Scope
from sealane.engine.embedded.search.scored import Docs, Floats, Scorer, matches_of, scores_of


class Demoted(Scorer):
    """The scores of `positive`, times `factor` where `negative` matches."""

    __slots__ = ("_factor", "_negative", "_positive", "_scope")

    def __init__(
        self, positive: Compiled, negative: tantivy.Query, factor: float, scope: Scope
    ) -> None:
        self._positive = positive
        self._negative = negative
        self._factor = factor
        self._scope = scope

    def scores(self, docs: Docs) -> Floats:
        found = scores_of(self._positive, docs, self._scope)
        matched = matches_of(self._negative, docs, self._scope)
        return np.where(matched, found * np.float32(self._factor), found).astype(np.float32)
