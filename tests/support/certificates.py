"""The certificates of the system, which every HTTP client reads again."""

import os
import ssl
from functools import cache

import httpcore2


def read_certificates_once() -> None:
    """Let the HTTP clients of a test process share one TLS context for each of the environment's settings.

    Reading the certificates takes 20 ms of a client, of which a test has up to four, most of them for
    addresses without TLS.
    """
    read = httpcore2.default_ssl_context

    @cache
    def context(*variables: str | None) -> ssl.SSLContext:
        return read(_trust_env=bool(variables))

    def shared(*, _trust_env: bool = True) -> ssl.SSLContext:
        return context(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR") if _trust_env else ()))

    httpcore2.default_ssl_context = shared
