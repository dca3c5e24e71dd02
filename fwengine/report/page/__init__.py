"""A page to hand around: one file of HTML that loads nothing, about a policy, what is found in it, and what changed.

`compose` gathers plain values, `shell` writes them with Jinja2 (extra `report`), which escapes whatever comes from outside.
"""
