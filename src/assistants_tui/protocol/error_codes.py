"""Codes of errors that objects of the API carry in `last_error`."""

from typing import Literal, TypeAlias

RunErrorCode: TypeAlias = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
"""Why a run failed: the model endpoint has no more quota, it cannot use the input, or anything else."""
StepErrorCode: TypeAlias = Literal["server_error", "rate_limit_exceeded"]
"""Why a step failed."""
FileErrorCode: TypeAlias = Literal["server_error", "unsupported_file", "invalid_file"]
"""Why a file is not in a vector store: its kind is never read, it cannot be read, or anything else."""


def step_code(code: RunErrorCode) -> StepErrorCode:
    """The code of a step whose run failed with this one: a step knows fewer."""
    return code if code == "rate_limit_exceeded" else "server_error"
