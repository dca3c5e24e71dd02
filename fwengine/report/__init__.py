"""Answers for people and for other programs: screens, tables, JSON values, SARIF, JUnit. Knows all, decides nothing."""
