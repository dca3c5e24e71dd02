"""The logs that are read, a module each: what they write of a flow -> `Flow`. They know no policy."""
