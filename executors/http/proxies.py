"""Which proxy a request goes through."""

from __future__ import annotations

import httpx

from tocsin.errors import ExecutorError

from .config import HttpConfig, Proxy


def proxy_for(config: HttpConfig, url: httpx.URL) -> Proxy | None:
    """The proxy of a job, or that which the agent's environment names for this url.

    Raises:
        ExecutorError: what the environment names is none.
    """
    match config.proxy:
        case "env":
            return _by_environment(url)
        case str() as proxy:
            return Proxy(url=proxy)
        case proxy:
            return proxy


def _by_environment(url: httpx.URL) -> Proxy | None:
    from urllib.request import getproxies, proxy_bypass  # heavy, and rare

    proxies = getproxies()
    which = url.scheme if url.scheme in proxies else "all"
    if which not in proxies or proxy_bypass(url.host, proxies):
        return None
    named = proxies[which]
    try:
        found = httpx.URL(named if "://" in named else f"http://{named}")
        bare = str(found.copy_with(userinfo=b""))
        return Proxy(url=bare, user=found.username, password=found.password)
    except (ValueError, httpx.InvalidURL) as error:
        # Its value may hold a password.
        text = f"{which}_proxy in the agent's environment is no url of a proxy"
        raise ExecutorError(text, "write http://HOST:PORT") from error
