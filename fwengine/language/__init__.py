"""The rule language: text to syntax tree to policy, and back. Nothing below knows it."""
