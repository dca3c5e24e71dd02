"""A policy in an editor: what `check` finds as one types, what a word means, where a name is used. `fwengine lsp` serves it.

`opened` reads a text as far as it has a meaning; each feature is a function of what is read; `server` alone speaks the protocol.
"""
