# ruff: noqa: E501 - the sentences stand as servers write them
"""What servers write when a request is too long, as users of these servers have reported it."""

import pytest

from assistants_tui.engine.models.length_refusals import AnswerTooLong, PromptTooLong, read

REFUSALS = [
    # OpenAI, Azure, DeepSeek and whoever copies them
    (
        "This model's maximum context length is 4097 tokens. However, your messages resulted in 35569 tokens. "
        "Please reduce the length of the messages.",
        PromptTooLong(4097),
    ),
    (
        "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the "
        "messages, 8192 in the completion). Please reduce the length of the messages or completion.",
        AnswerTooLong(131072 - 122942, 131072),
    ),
    (
        "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the "
        "messages, 10000 in the completion). Please reduce the length of the messages or completion.",
        PromptTooLong(16384),
    ),
    (
        "This model's maximum context length is 8192 tokens. However, you requested 8400 tokens (300 in the messages, "
        "100 in the functions, and 8000 in the completion). Please reduce the length of the messages, functions, or "
        "completion.",
        AnswerTooLong(8192 - 300, 8192),
    ),
    (
        "This model's maximum context length is 4097 tokens, however you requested 4116 tokens (3860 in your prompt; "
        "256 for  the completion). Please reduce your prompt; or completion length.",
        AnswerTooLong(4097 - 3860, 4097),
    ),
    (
        "max_tokens is too large: 8000. This model supports at most 4096 completion tokens, whereas you provided "
        "8000.",
        AnswerTooLong(4096),
    ),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", AnswerTooLong(8192)),
    # vLLM
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum context length is 8192 "
        "tokens and your request has 300 input tokens (8000 > 8192 - 300).",
        AnswerTooLong(8192 - 300, 8192),
    ),
    (
        "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 "
        "'max_tokens'. Please reduce one or the other. (parameter=input_tokens, max_tokens, value=(8, 2045))",
        AnswerTooLong(2040, 2048),
    ),
    (
        "This model's maximum context length is 131072 tokens. However, you requested 131072 output tokens and your "
        "prompt contains 14233 characters (more than 0 characters, which is the upper bound for 0 input tokens). "
        "Please reduce the length of the input prompt or the number of requested output tokens.",
        AnswerTooLong(None, 131072),
    ),
    (
        "This model's maximum context length is 2048 tokens. However, your request has 3000 input tokens. Please "
        "reduce the length of the input messages.",
        PromptTooLong(2048),
    ),
    ("max_tokens must be at least 1, got -186.", PromptTooLong(None)),
    # SGLang
    (
        "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of "
        "9000 tokens: 1000 tokens from the input messages and 8000 tokens for the completion.",
        AnswerTooLong(7192, 8192),
    ),
    # Text Generation Inference
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens and "
        "2000 `max_new_tokens`",
        AnswerTooLong(1096, 4096),
    ),
    (
        "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
        PromptTooLong(4095),
    ),
    # llama.cpp
    (
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        PromptTooLong(None),
    ),
    (
        "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        PromptTooLong(4096),
    ),
    ("Context size has been exceeded.", PromptTooLong(None)),
    # LM Studio
    (
        "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context "
        "length of only 7866 tokens, which is not enough. Try to load the model with a larger context length, or "
        "provide a shorter input",
        PromptTooLong(7866),
    ),
    (
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        PromptTooLong(None),
    ),
    # Ollama
    ("the input length exceeds the context length", PromptTooLong(None)),
    # Anthropic
    ("prompt is too long: 210000 tokens > 200000 maximum", PromptTooLong(200000)),
    (
        "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length or "
        "`max_tokens` and try again",
        AnswerTooLong(200000 - 178959, 200000),
    ),
    (
        "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for this model",
        AnswerTooLong(8192),
    ),
    # Gemini
    (
        "The input token count (314175) exceeds the maximum number of tokens allowed (131072).",
        PromptTooLong(131072),
    ),
    (
        "Unable to submit request because it has a maxOutputTokens value of 10000 but the supported range is from 1 "
        "(inclusive) to 8193 (exclusive). Update the value and try again.",
        AnswerTooLong(8193),
    ),
    # Groq
    (
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
        "`context_window` for this model",
        AnswerTooLong(8192),
    ),
    # OpenRouter
    (
        "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens (8500 of "
        "text input, 500 in the output). Please reduce the length of either one.",
        PromptTooLong(8192),
    ),
    # xAI, Moonshot, DashScope, Copilot, GitHub Models, Cohere, Cerebras
    (
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        PromptTooLong(131072),
    ),
    ("Invalid request: Your request exceeded model token limit: 8192", PromptTooLong(8192)),
    ("Range of input length should be [1, 30720]", PromptTooLong(30720)),
    ("Range of max_tokens should be [1, 2000]", AnswerTooLong(2000)),
    ("prompt token count of 130000 exceeds the limit of 128000", PromptTooLong(128000)),
    ("Request body too large for gpt-4o model. Max size: 8000 tokens.", PromptTooLong(8000)),
    (
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4500",
        PromptTooLong(4081),
    ),
    (
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        PromptTooLong(8192),
    ),
    # Other troubles that mention lengths
    ("llama runner: failed to allocate the context window: out of memory", None),
    ("Failed to create a context of size 32768: cudaMalloc failed: out of memory", None),
    (
        "Request too large for model `llama-3.1-8b` on tokens per minute (TPM): Limit 6000, Requested 9000, please "
        "reduce your message size and try again.",
        None,
    ),
    ("You exceeded your current quota, please check your plan and the limit of your account.", None),
    ("Unsupported parameter: 'max_tokens' is not supported with this model.", None),
    ("The context window of this model was loaded from its file.", None),
    ("Internal server error", None),
]


@pytest.mark.parametrize(("message", "meaning"), REFUSALS, ids=[message[:60] for message, _ in REFUSALS])
def test_what_a_refusal_means(message: str, meaning: object) -> None:
    assert read(400, "", message) == meaning
    assert read(None, "", message) == meaning, "also inside of a stream"
    assert read(429, "", message) is None


@pytest.mark.parametrize(
    "code",
    ["context_length_exceeded invalid_request_error", "exceed_context_size_error", "tokens_limit_reached"],
)
def test_codes_need_no_words(code: str) -> None:
    assert read(400, code, "No.") == PromptTooLong(None)
