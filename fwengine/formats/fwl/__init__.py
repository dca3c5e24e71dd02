"""The rule language of this package, written from rules that come from elsewhere."""
