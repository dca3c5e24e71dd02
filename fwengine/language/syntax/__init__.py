"""Text to syntax tree and back: grammar, statements, parser, comments, printer, mistakes. Knows no meaning."""
