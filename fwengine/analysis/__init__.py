"""Exact questions about policies: what matters, what changed, what is provable. Each answer carries its witness."""
