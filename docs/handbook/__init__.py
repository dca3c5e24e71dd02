"""Makes the site of documentation: what is generated for it, and how MkDocs is told of it. Nothing of the package knows this one."""
