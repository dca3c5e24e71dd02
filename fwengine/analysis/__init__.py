"""Exact questions about policies: what matters, what changed, what is provable. Each answer carries its witness.

`reach`, `anomalies`, `query`, `diff`, `coverage` and `mutation` ask; all of them rest on `cover` (do some rules take all of
a part?), which rests on `search` and `overlap`; `region` and `witness` make answers readable. None knows texts or screens.
"""
