"""The client of a profile: which address, which key, which token."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Collection, Mapping

import httpx2
import openai

from assistants_tui import __version__, network
from assistants_tui.addresses import host_and_port, is_openai, not_in_the_clear, socket_path
from assistants_tui.service.client.http_client import TIMEOUT, Client
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.secrets import NOT_SENDABLE, Secret, plain_http_advice

_TOKEN_SECONDS = 240.0
"""An access token of Entra ID lives an hour or more; asking again early costs one subprocess."""
_TOKEN_TIMEOUT = 30.0
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FOUNDRY_TOKEN = (
    "az",
    "account",
    "get-access-token",
    "--resource",
    "https://ai.azure.com",
    "--query",
    "accessToken",
    "--output",
    "tsv",
)


def embedded_client(
    transport: httpx2.AsyncBaseTransport, failed: Callable[[ServiceError], None] = lambda error: None
) -> Client:
    """A client whose requests go to the engine behind `transport`."""
    http = httpx2.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)
    with network.without_openai_variables():
        api = openai.AsyncOpenAI(
            api_key="none",
            base_url="http://localhost/v1",
            http_client=http,
            default_headers=_AGENT,
            max_retries=0,
        )
    return Client(api, server="the embedded engine", anonymous=True, failed=failed)


def remote_client(
    profile: Profile,
    key: Secret | None,
    *,
    headers: Mapping[str, str] | None = None,
    secrets: Collection[Secret] = (),
    environ: Mapping[str, str] = os.environ,
    failed: Callable[[ServiceError], None] = lambda error: None,
) -> Client:
    """A client for the server of a profile. Raises `ServiceError` for what it lacks, and for what is no key.

    `headers` go with every request to a server of kind `openai`; `secrets` are those of their values that
    are kept like keys.
    """
    if not all(secret.is_sendable for secret in (*([key] if key else ()), *secrets)):
        raise ServiceError(NOT_SENDABLE, kind="authentication", no_effect=True)
    if profile.kind == "openai":
        return _openai_client(profile, key, headers or {}, secrets, failed)
    return _azure_client(profile, key, failed, environ)


_AGENT = {"User-Agent": f"assistants-tui/{__version__}"}


def _openai_client(
    profile: Profile,
    key: Secret | None,
    headers: Mapping[str, str],
    secrets: Collection[Secret],
    failed: Callable[[ServiceError], None],
) -> Client:
    assert profile.base_url is not None  # the settings do not accept a profile without
    if key:
        _check_encryption(profile, profile.base_url)
    hosted = is_openai(profile.base_url)
    with network.without_openai_variables():
        api = openai.AsyncOpenAI(
            api_key=key.reveal() if key else "none",
            base_url=network.http_url(profile.base_url),
            http_client=_http_client(profile.base_url, headers),
            default_headers={**_AGENT, **headers},
        )
    api.organization, api.project = profile.organization, profile.project
    path = socket_path(profile.base_url)
    server = host_and_port(profile.base_url) if path is None else f"the socket {path}"
    return Client(
        api,
        server=server,
        hosted=hosted,
        anonymous=key is None and "authorization" not in map(str.lower, headers),
        secrets=[*([key] if key else ()), *secrets],
        failed=failed,
    )


def _azure_client(
    profile: Profile,
    key: Secret | None,
    failed: Callable[[ServiceError], None],
    environ: Mapping[str, str],
) -> Client:
    if profile.kind == "azure":
        endpoint = profile.azure_endpoint or environ.get("AZURE_OPENAI_ENDPOINT", "")
        version = profile.api_version or environ.get("OPENAI_API_VERSION", "")
        base_url = f"{endpoint.rstrip('/')}/openai"
        command = profile.token_command
        if not endpoint:
            raise _lacking(profile, "azure_endpoint", "AZURE_OPENAI_ENDPOINT")
        if not version:
            raise _lacking(profile, "api_version", "OPENAI_API_VERSION")
        if not key and not command:
            raise _lacking(profile, "token_command", profile.key_variable or "AZURE_OPENAI_API_KEY")
    else:
        base_url = profile.project_endpoint or ""
        version = profile.api_version or "v1"
        command = profile.token_command or (() if key else _FOUNDRY_TOKEN)
    _check_encryption(profile, base_url)
    tokens = TokenCommand(command) if command and not key else None
    with network.without_openai_variables():
        api = openai.AsyncAzureOpenAI(
            base_url=base_url,
            api_version=version,
            api_key=key.reveal() if key else None,
            azure_ad_token_provider=tokens,
            http_client=_http_client(base_url),
            default_headers=_AGENT,
        )
    server = host_and_port(base_url)
    return Client(
        api,
        server=server,
        secrets=[key] if key else (),
        tokens=lambda: tokens.token if tokens else None,
        failed=failed,
    )


def _http_client(base_url: str, headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    try:
        return network.http_client(base_url, timeout=TIMEOUT, headers=headers)
    except network.NetworkSettingsError as error:
        raise ServiceError(
            f"{host_and_port(base_url)} cannot be reached.", str(error), kind="settings", no_effect=True
        ) from None


def _lacking(profile: Profile, setting: str, variable: str) -> ServiceError:
    return ServiceError(
        f"The profile “{profile.name}” lacks `{setting}`.",
        f"Add it to [profiles.{profile.name}] in config.toml, or set the environment variable {variable}.",
        kind="settings",
    )


def _check_encryption(profile: Profile, url: str) -> None:
    """Raise `ServiceError` if the key of a profile would be sent to `url` in the clear, against its will."""
    if not profile.allow_plain_http and (refusal := not_in_the_clear(url)):
        raise ServiceError(refusal, plain_http_advice(profile), kind="settings", no_effect=True)


class TokenCommand:
    """Access tokens from a command, such as `az account get-access-token`, kept for a few minutes."""

    def __init__(self, command: tuple[str, ...], clock: Callable[[], float] = time.monotonic) -> None:
        self._command = command
        self._clock = clock
        self._lock = asyncio.Lock()
        self._fetched = 0.0
        self.token: Secret | None = None

    async def __call__(self) -> str:
        """A token. Raises `ServiceError` if the command gives none."""
        async with self._lock:
            if self.token is None or self._clock() - self._fetched > _TOKEN_SECONDS:
                self.token = Secret(await self._run())
                self._fetched = self._clock()
            return self.token.reveal()

    async def _run(self) -> str:
        name = self._command[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise self._failure(f"`{name}` cannot be started: {error.strerror}.") from None
        try:
            async with asyncio.timeout(_TOKEN_TIMEOUT):
                out, err = await process.communicate()
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise self._failure(f"`{name}` took longer than {_TOKEN_TIMEOUT:.0f} s.") from None
            raise
        token = out.decode(errors="replace").strip()
        if process.returncode or not token or not _TOKEN.fullmatch(token):
            said = err.decode(errors="replace").strip().splitlines()
            raise self._failure(f"`{name}` gave no access token{': ' + said[-1][:300] if said else ''}.")
        return token

    @staticmethod
    def _failure(what: str) -> ServiceError:
        return ServiceError(
            what, "Check `token_command` of the profile; perhaps sign in again.", kind="settings"
        )
