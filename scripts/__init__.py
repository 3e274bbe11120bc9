"""Scripts: thin command-line programs over the package."""
