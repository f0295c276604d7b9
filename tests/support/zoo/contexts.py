"""How servers say what a model reads, as their documentation and their users show it."""

from dataclasses import dataclass, field

from assistants_tui.protocol.objects import Json

LLAMA_META = {"vocab_type": 2, "n_vocab": 151936, "n_ctx_train": 32768, "n_embd": 896, "size": 531644416}
GEMMA = {
    "name": "gemma3:latest",
    "model": "gemma3:latest",
    "size": 6591830464,
    "digest": "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
    "details": {"parent_model": "", "format": "gguf", "family": "gemma3", "families": ["gemma3"]},
    "expires_at": "2025-10-17T16:47:07.93355-07:00",
    "size_vram": 5333539264,
}
SHOWN = {
    "parameters": 'num_ctx                        16384\nstop                           "<end_of_turn>"',
    "details": {"family": "gemma3"},
    "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131072},
}


@dataclass(frozen=True)
class ContextServer:
    """`model_fields`: of every entry of its list; `own_api`: its answers beside `/v1`, by path."""

    family: str
    tokens: int | None
    model_fields: Json = field(default_factory=dict)
    own_api: dict[str, object] = field(default_factory=dict)
    model: str = "gemma3"

    def __str__(self) -> str:
        return self.family


SERVERS = [
    ContextServer("OpenAI: says nothing", None, {"owned_by": "system"}),
    ContextServer("vLLM", 40960, {"owned_by": "vllm", "root": "google/gemma-3", "max_model_len": 40960}),
    ContextServer("OpenRouter", 131072, {"context_length": 131072, "top_provider": {"context_length": None}}),
    ContextServer(
        "OpenRouter: its provider serves less",
        96000,
        {"context_length": 131072, "top_provider": {"context_length": 96000}},
    ),
    ContextServer("Groq", 8192, {"owned_by": "Google", "active": True, "context_window": 8192}),
    ContextServer("Mistral", 32768, {"max_context_length": 32768, "capabilities": {"vision": True}}),
    ContextServer(
        "llama.cpp: the running context, not that of the training",
        2048,
        {"owned_by": "llamacpp", "meta": LLAMA_META},
        {"/props": {"default_generation_settings": {"n_ctx": 2048, "n_predict": -1}, "total_slots": 1}},
    ),
    ContextServer(
        "llama.cpp: its own API is off", 4096, {"owned_by": "llamacpp", "meta": {**LLAMA_META, "n_ctx": 4096}}
    ),
    ContextServer("llama.cpp: an old one", 32768, {"owned_by": "llamacpp", "meta": LLAMA_META}),
    ContextServer(
        "Ollama: a running model",
        8192,
        {"owned_by": "library"},
        {"/api/ps": {"models": [GEMMA | {"context_length": 8192}]}, "/api/show": SHOWN},
    ),
    ContextServer(
        "Ollama: not loaded, the model file says it",
        16384,
        {"owned_by": "library"},
        {"/api/ps": {"models": []}, "/api/show": SHOWN},
    ),
    ContextServer(
        "Ollama: not loaded, nothing set",
        4096,
        {"owned_by": "library"},
        {"/api/ps": {"models": []}, "/api/show": {"model_info": {"gemma3.context_length": 131072}}},
    ),
    ContextServer(
        "Ollama: an old one that does not say what it runs with",
        2048,
        {"owned_by": "library"},
        {"/api/ps": {"models": [GEMMA]}, "/api/show": {"model_info": {"gemma.context_length": 2048}}},
    ),
    ContextServer(
        "LM Studio: a loaded model",
        12000,
        {"owned_by": "organization_owner"},
        {
            "/api/v0/models": {
                "data": [
                    {"id": "qwen2-vl-7b", "state": "not-loaded", "max_context_length": 32768},
                    {
                        "id": "gemma3",
                        "state": "loaded",
                        "max_context_length": 131072,
                        "loaded_context_length": 12000,
                    },
                ]
            }
        },
    ),
    ContextServer(
        "LM Studio: not loaded",
        None,
        {"owned_by": "organization_owner"},
        {"/api/v0/models": {"data": [{"id": "gemma3", "state": "not-loaded", "max_context_length": 131072}]}},
    ),
    ContextServer("a context that no model can have", None, {"max_model_len": 1, "context_length": True}),
    ContextServer(
        "answers of other shapes",
        None,
        {"meta": "none", "top_provider": 3},
        {"/props": [1], "/api/ps": {"models": {"gemma3": 1}}, "/api/v0/models": "no", "/api/show": None},
    ),
]
