"""The notations that packets come in, one module each: a pure function of a text to a `Packet`, or a `NotationError`."""
