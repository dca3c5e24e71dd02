"""Exact questions about policies: what matters, what changed, what is provable. Each answer carries its witness.

`prove`, `query`, `diff`, `reach`, `anomalies`, `coverage` and `mutation` ask; all of them rest on `cover` (do some rules take
all of a part?), which rests on `search` and `model.overlap`. `region` and `witness` make answers readable, `confirm` finds
them again in a second way. None knows texts or screens.
"""
