"""The code interpreter: Python code of a model, run with state, in a sandbox."""

from .execution import CreatedFile, Execution, Image, Limits, Logs, Output, Sandbox, WithoutSandbox
from .interpreter import CodeInterpreter
from .names import safe_name, safe_names

__all__ = [
    "CodeInterpreter",
    "CreatedFile",
    "Execution",
    "Image",
    "Limits",
    "Logs",
    "Output",
    "Sandbox",
    "WithoutSandbox",
    "safe_name",
    "safe_names",
]
