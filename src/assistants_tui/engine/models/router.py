"""Which source answers for a model name."""

from collections.abc import AsyncGenerator

from assistants_tui.engine.models.base import ChatModel, ChatRequest, Delta
from assistants_tui.protocol.names import OFFLINE_TUTOR
from assistants_tui.protocol.objects import Json


class ModelRouter:
    """The endpoint for every name but the tutor's; the tutor for every name where there is no endpoint."""

    def __init__(self, endpoint: ChatModel | None, tutor: ChatModel) -> None:
        self._endpoint = endpoint
        self._tutor = tutor

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        if self._endpoint is None or request.model == OFFLINE_TUTOR:
            return self._tutor.stream(request)
        return self._endpoint.stream(request)

    async def models(self) -> list[Json]:
        listed = await self._endpoint.models() if self._endpoint is not None else []
        return [*listed, *await self._tutor.models()]

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()
