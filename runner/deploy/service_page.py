"""The page of a server: HTML, style and script in one answer, and the headers that keep foreign code out of it."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from string import Template


def make_page() -> tuple[str, dict[str, str]]:
    """Return the HTML of the page and the headers of its response.

    The headers allow only this style and script, and requests only to this server.
    """
    words = resources.files("runner.deploy.page").joinpath("calibration.js").read_text(encoding="utf-8")
    parts = {"style": read("service.css"), "script": words + read("service_sounds.js") + read("service.js")}
    allowed = "; ".join(f"{name}-src '{hash_of(content)}'" for name, content in parts.items())
    # blob: a sound that the user has chosen, played before it is sent.
    policy = f"default-src 'none'; {allowed}; connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'"
    headers = {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
    }  # fmt: skip
    return Template(read("service.html")).substitute(parts), headers


def hash_of(content: str) -> str:
    """Return the source expression of a policy that allows a script or style with this very content."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")


def read(name: str) -> str:
    """Return the content of a file beside this one."""
    return resources.files("runner.deploy").joinpath(name).read_text(encoding="utf-8")
