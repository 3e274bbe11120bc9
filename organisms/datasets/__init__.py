"""Public connectomes of the fly: where they are, how they are fetched, and how each becomes one of ours."""
