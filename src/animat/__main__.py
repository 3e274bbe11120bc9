"""`python -m animat` is the console script `animat`."""

from .scripts.cli import main

if __name__ == "__main__":
    main()
