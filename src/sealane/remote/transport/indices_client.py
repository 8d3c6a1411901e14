"""One cluster as it is asked about its indices beside being searched, over the transport: a remote by way of its
client, and the local cluster of a node without data.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from sealane.model.about_indices import (
    FieldCapsPart,
    FieldCapsRequest,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.task import Context
from sealane.remote.transport.messages_indices import (
    FIELD_CAPS,
    RESOLVE_INDEX,
    TERMS_ENUM,
    decode_field_caps_part,
    decode_names,
    decode_terms_part,
    encode_field_caps,
    encode_resolve_index,
    encode_terms_enum,
)

Ask = Callable[[str, bytes, Context], Awaitable[bytes]]


class IndicesClient:
    """Implements AboutIndices. `ask` sends an action's payload to the cluster and returns its answer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def field_caps(self, request: FieldCapsRequest, ctx: Context) -> FieldCapsPart:
        """Raises what the cluster raised, and what `ask` does when it cannot be reached; the others too."""
        payload = encode_field_caps(request)
        return decode_field_caps_part(await self._ask(FIELD_CAPS, payload, ctx))

    async def resolve_index(self, request: ResolveIndexRequest, ctx: Context) -> ResolvedNames:
        payload = encode_resolve_index(request)
        return decode_names(await self._ask(RESOLVE_INDEX, payload, ctx))

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumPart:
        payload = encode_terms_enum(request)
        return decode_terms_part(await self._ask(TERMS_ENUM, payload, ctx))


class Askable(Protocol):
    """A remote that takes any action."""

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes: ...


class AskableRemotes(Protocol):
    def aliases(self) -> Sequence[str]: ...
    def client(self, alias: str) -> Askable: ...


class RemoteIndices:
    """The registered remotes as the coordinators of such requests see them."""

    def __init__(self, remotes: AskableRemotes) -> None:
        self._remotes = remotes

    def aliases(self) -> Sequence[str]:
        """All that are enabled. Raises IllegalArgument on a node without the role `remote_cluster_client`."""
        return self._remotes.aliases()

    def client(self, alias: str) -> IndicesClient:
        """Raises NoSuchRemoteCluster."""
        return IndicesClient(self._remotes.client(alias).ask)
