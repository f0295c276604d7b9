"""Limits of the API: lengths in Unicode code points, counts, ranges (both ends allowed), bytes and seconds.

They are those of the API reference (https://platform.openai.com/docs/api-reference/assistants) and of the
guides it links to, where no other source is named.
"""

from typing import Literal, TypeAlias

# Assistants and runs
MAX_NAME = 256
MAX_DESCRIPTION = 512
MAX_INSTRUCTIONS = 256_000
MAX_AZURE_INSTRUCTIONS = 32_768
"""What Azure OpenAI takes when an assistant is changed; a new one may have more
(https://learn.microsoft.com/azure/ai-services/openai/assistants-reference#modify-assistant)."""
TEMPERATURE = (0, 2)
TOP_P = (0, 1)
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
RUN_SECONDS = 600
"""From a run's creation until it expires, waiting time included."""
MIN_TOKENS = 256
"""The smallest `max_prompt_tokens` and `max_completion_tokens`."""
MAX_TOOL_OUTPUTS = 1_000
"""How many one request may submit; a limit of ours."""
MAX_REJECTION_REASON = 2_000
"""Of code that is rejected; not part of the hosted API."""

# Tools
MAX_TOOLS = 128
MAX_FUNCTION_NAME = 64
FUNCTION_NAME_CHARACTER = "[a-zA-Z0-9_-]"
"""A regular expression: what names of functions and of JSON schemas are made of."""
MAX_FUNCTION_DESCRIPTION = 1_024
MAX_CODE_FILES = 20
"""Files that an assistant or a thread gives the code interpreter."""
MAX_SEARCH_STORES = 1
"""Vector stores that an assistant or a thread gives file search."""
SEARCH_RESULTS = (1, 50)
SCORE_THRESHOLD = (0, 1)

# Metadata of all objects, and attributes of files in vector stores
MAX_PAIRS = 16
MAX_KEY = 64
MAX_VALUE = 512

# Messages
MAX_MESSAGE_TEXT = 256_000
MAX_CONTENT_PARTS = 1_000
MAX_ATTACHMENTS = 500
MAX_ATTACHMENT_TOOLS = 16
MAX_MESSAGES_AT_ONCE = 1_000
MAX_MESSAGES = 100_000
"""How many messages a thread takes from users. A run's answer is never refused."""

# Files and uploads
MAX_FILE_BYTES = 512 * 1024**2
FILE_EXPIRY_SECONDS = (3_600, 2_592_000)
MAX_UPLOAD_BYTES = 8 * 1024**3
MAX_UPLOAD_PART_BYTES = 64 * 1024**2
MAX_UPLOAD_PARTS = 10_000
UPLOAD_SECONDS = 3_600
"""From an upload's creation until it expires."""

# Vector stores
MAX_STORE_FILES = 10_000
MAX_FILES_OF_NEW_STORE = 500
MAX_BATCH_FILES = 2_000
CHUNK_TOKENS = (100, 4_096)
STORE_EXPIRY_DAYS = (1, 365)
MAX_QUERIES = 32
"""Of one search."""

# Lists
DEFAULT_PAGE = 20
MAX_PAGE = 100
MAX_FILES_PAGE = 10_000
