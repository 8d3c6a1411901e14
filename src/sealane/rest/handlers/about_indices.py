"""The routes of requests about indices that reach over clusters, for nodes with data and without."""

from sealane.rest.handlers import field_caps, resolve_index, terms_enum
from sealane.rest.router import Route
from sealane.search.about_indices import AboutIndices, IndicesOfRemotes
from sealane.search.field_caps import FieldCapsService
from sealane.search.resolve_index import IndexResolver
from sealane.search.terms_enum import TermsEnumService


def routes(local: AboutIndices, remotes: IndicesOfRemotes) -> list[Route]:
    """`_field_caps`, `_resolve/index`, `_terms_enum`."""
    return [
        *field_caps.routes(FieldCapsService(local=local, remotes=remotes)),
        *resolve_index.routes(IndexResolver(local=local, remotes=remotes)),
        *terms_enum.routes(TermsEnumService(local=local, remotes=remotes)),
    ]
