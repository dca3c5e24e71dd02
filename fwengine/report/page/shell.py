"""Values -> a page: templates that escape all text, and a policy for the browser under which nothing but the page's own code runs.

Whatever stands in names, comments and files is somebody else's: markup is text, and what cannot be seen or reorders a line is made
visible. Styles and the script stand in the page, and its Content-Security-Policy names them by digest (CSP Level 3, W3C).
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..._version import __version__
from ...errors import MissingExtraError
from ..screen import visible
from ..sizes import size

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES: Final = Path(__file__).with_name("templates")


def page(template: str, **values: Any) -> str:
    """A whole page.

    Raises:
        MissingExtraError: if Jinja2 is not there.
    """
    style, script = (_text(name) for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    return (
        environment()
        .get_template(template)
        .render(**values, security=policy, css=_own(style), js=_own(script), version=__version__)
    )


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates' environment.

    Raises:
        MissingExtraError: as `page`.
    """
    try:
        import jinja2
    except ModuleNotFoundError:
        raise MissingExtraError("a page", "jinja2", "report") from None
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(words=_words, count=_count, size=size)
    return made


def _seen(value: Any) -> Any:
    """What is put into a page: texts with all that cannot be seen made visible; None is nothing."""
    if value is None:
        return ""
    return visible(value) if type(value) is str else value


def _words(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    from markupsafe import Markup, escape

    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape(visible(text))
    return Markup("").join(  # of escaped parts
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def _count(number: int) -> str:
    return f"{number:,}"


def _own(text: str) -> Markup:
    """The package's own style or script, as it is."""
    from markupsafe import Markup

    assert "</" not in text
    return Markup(text)  # noqa: S704  # of this package's files alone


@lru_cache(maxsize=2)
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
