"""Telling a server of models, which has no assistants, from a server of the Assistants API."""

from assistants_tui.addresses import without_password
from assistants_tui.protocol.objects import ListAnswer
from assistants_tui.service.client.http_client import Client
from assistants_tui.service.errors import ServiceError

_NO_SUCH_PATH = frozenset({404, 405, 501})


async def explained(client: Client, error: ServiceError) -> ServiceError:
    """Why a server does not list its assistants: `error`, or that it is a server of models.

    Ollama, llama.cpp, vLLM, LM Studio and their like answer chat completions under the same kind of address.
    """
    if client.hosted or (error.status not in _NO_SUCH_PATH and error.kind != "protocol"):
        return error
    try:
        await client.fetch(ListAnswer, "models")
    except ServiceError:
        return error
    url = without_password(client.base_url)
    return ServiceError(
        f"{client.server} is a server of models (chat completions): it has no assistants.",
        f"Use it as the model of an embedded profile: kind “embedded” with model_url “{url}”. "
        "The assistants then run on this machine, and its models answer.",
        kind="not_found",
        status=error.status,
        no_effect=True,
    )
