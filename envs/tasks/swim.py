"""Swim forward in water, with the brain and body that crawl."""

from ..arenas import Arena
from .task import Task


def swim(duration_s: float = 10.0) -> Task:
    """Forward swimming in water."""
    return Task(name="swim", arena=Arena(medium="water"), duration_s=duration_s)
