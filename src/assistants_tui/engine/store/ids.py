"""Identifiers in the form that clients of the Assistants API expect: a kind's prefix and random letters."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

PREFIXES = {
    "assistant": "asst_",
    "thread": "thread_",
    "message": "msg_",
    "run": "run_",
    "run_step": "step_",
    "tool_call": "call_",
    "file": "file-",
    "vector_store": "vs_",
    "file_batch": "vsfb_",
    "upload": "upload_",
    "upload_part": "part_",
}


def new(kind: str) -> str:
    """A fresh ID of a kind named in `PREFIXES`: its prefix and 24 random letters and digits (142 bits)."""
    return PREFIXES[kind] + "".join(secrets.choice(_ALPHABET) for _ in range(24))
