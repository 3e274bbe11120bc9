"""The worm, Caenorhabditis elegans."""
