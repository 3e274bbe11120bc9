"""Crawl forward on agar."""

from ..arenas import Arena
from .task import Task


def crawl(duration_s: float = 10.0) -> Task:
    """Forward crawling on the surface of agar."""
    return Task(name="crawl", arena=Arena(medium="agar"), duration_s=duration_s)
