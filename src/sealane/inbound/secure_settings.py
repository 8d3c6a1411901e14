"""What this node answers when a node of its own cluster asks it to read its keystore again."""

from typing import Any

from sealane.cluster.secure_reload import (
    RELOAD_NODE,
    ReloadRequest,
    SecureReload,
    encode_answer,
    read_request,
)
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.security import Secret
from sealane.model.task import Context
from sealane.security.rules import Authorize


def register_reload_handler(
    registrar: Registrar, *, reload: SecureReload, authorize: Authorize
) -> None:
    """The one action on this node's keystore."""

    async def answer(request: ReloadRequest, ctx: Context) -> bytes:
        return encode_answer(await reload.reload(Secret(request.password)))

    action: Action[Any] = Action(
        name=RELOAD_NODE, read=read_request, indices=lambda request: (), answer=answer
    )
    register_actions(registrar, [action], authorize)
