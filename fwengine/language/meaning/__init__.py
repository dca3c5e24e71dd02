"""Syntax tree to rule sets, regions and packets, and boxes back to text."""
