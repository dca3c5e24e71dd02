"""fwengine: know, exactly and with a witness packet, what your firewall policy does."""

from ._version import __version__

__all__ = ["__version__"]
