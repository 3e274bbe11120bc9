"""Factories by name: unknown names get the nearest known one, and other distributions add theirs as plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownNameError(KeyError):
    """A name that nothing is registered under; unlike a plain KeyError it prints its message without quotes."""

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint that ends an error about an unknown name.

    Args:
        name: what was asked for.
        known: every name that would have worked.

    Returns:
        "did you mean 'worm'?" when one is close, otherwise "known: 'a', 'b'", cut after twelve.
    """
    names = sorted(known)
    by_folded_case = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(str(name).casefold(), by_folded_case, n=1)
    if close:
        return f"did you mean {by_folded_case[close[0]]!r}?"
    listed = ", ".join(repr(candidate) for candidate in names[:12]) or "none"
    return f"known: {listed}{', ...' if len(names) > 12 else ''}"


class Registry(Mapping[str, Callable[..., T]], Generic[T]):
    """Factories of one kind of thing, by name.

    Args:
        kind: what is registered, as it reads in an error ("organism").
        group: the entry-point group through which other distributions add theirs; None for none. A plugin is imported
            when it is first asked for, so listing names stays cheap.
    """

    def __init__(self, kind: str, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._factories: dict[str, Callable[..., T]] = {}

    def add(self, name: str, factory: Callable[..., T]) -> None:
        """Register a factory.

        Raises:
            ValueError: the name is taken by another factory.
        """
        if self._factories.get(name, factory) is not factory:
            raise ValueError(f"{self.kind} {name!r} is already registered as {self._factories[name]!r}")
        self._factories[name] = factory

    def __getitem__(self, name: str) -> Callable[..., T]:
        if name not in self._factories and self.group is not None:
            for plugin in entry_points(group=self.group, name=name):
                self._factories[name] = plugin.load()
        try:
            return self._factories[name]
        except KeyError:
            raise UnknownNameError(f"no {self.kind} {name!r}; {nearest(name, self)}") from None

    def __iter__(self) -> Iterator[str]:
        plugins = entry_points(group=self.group).names if self.group is not None else set()
        return iter(sorted(self._factories.keys() | plugins))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)
