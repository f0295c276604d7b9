"""The key that `serve` sends to its model endpoint, and why there is none."""

import argparse
import os
from dataclasses import dataclass, field

from assistants_tui.addresses import OPENAI_VARIABLE, is_openai, not_in_the_clear, only_for_openai


class ModelKeyError(Exception):
    """The model endpoint cannot be asked as the options want it. `str` says why and what to do."""


@dataclass(frozen=True)
class ModelKey:
    """What goes to the endpoint. `advice`: what helps where it asks for a key and there is none."""

    value: str | None = field(repr=False)
    advice: str = ""
    warning: str = ""
    """What to say at the start."""


def model_key(options: argparse.Namespace) -> ModelKey:
    """The key for `--model-url`. Raises `ModelKeyError`."""
    url, named = options.model_url, options.model_key_env
    if url is None:
        if named is not None:
            raise ModelKeyError("--model-key-env is the key of a model endpoint: give --model-url, too.")
        if options.embedding_model is not None:
            raise ModelKeyError(
                "--embedding-model is a model of the endpoint: give --model-url, too. "
                "Providers of config.toml name theirs with `embeddings`."
            )
        return ModelKey(None)
    how = "Name the environment variable with the key of that server: --model-key-env NAME."
    why = only_for_openai(url)
    if named is None and not is_openai(url):
        warning = f"{why} {how}" if os.environ.get(OPENAI_VARIABLE) else ""
        return ModelKey(None, how, warning)
    variable = named or OPENAI_VARIABLE
    if variable == OPENAI_VARIABLE and why:
        raise ModelKeyError(f"{why} Put the key of that server into another variable, and name that one.")
    key = os.environ.get(variable, "").strip()
    if not key:
        if named is not None:
            raise ModelKeyError(f"The environment variable {named} of --model-key-env is not set.")
        return ModelKey(None, f"Set {OPENAI_VARIABLE} and start it again.")
    if not options.allow_plain_http and (open_way := not_in_the_clear(url)):
        raise ModelKeyError(f"{open_way} Use https, or allow it with --allow-plain-http.")
    return ModelKey(key)
