"""Packets through a policy: their notations, captures, and counts that add up."""
