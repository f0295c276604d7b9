"""The code interpreter: Python code of a model, run with state, in a sandbox."""

from .execution import CreatedFile, Execution, Image, Limits, Logs, Output, Sandbox, WithoutSandbox
from .file_names import safe_name, safe_names
from .interpreter import CodeInterpreter

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
