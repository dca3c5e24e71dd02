"""Other firewalls' rule sets: one folder each."""
