"""Packets at the edges of a policy, drawn packets, texts and captures made for tests."""
