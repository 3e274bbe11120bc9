"""The fruit fly, Drosophila melanogaster."""
