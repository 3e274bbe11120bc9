"""Tasks: one file each, with reward, stimuli and measures."""

from collections.abc import Callable, Mapping
from typing import Any

from ...organisms.organism import Organism
from ...registry import Registry, UnknownNameError, nearest
from .approach import Approach
from .chemotaxis import Chemotaxis
from .crawl import Crawl
from .explore import Explore
from .feed import Feed
from .looming import Looming
from .mouse_looming import MouseLooming
from .mouse_walk import MouseWalk
from .odour import Odour
from .openfield import OpenField
from .swim import Swim
from .task import Band, Task
from .thermotaxis import Thermotaxis
from .touch import Touch
from .turn import Turn
from .walk import Walk

__all__ = [
    "TASKS",
    "Approach",
    "Band",
    "Chemotaxis",
    "Crawl",
    "Explore",
    "Feed",
    "Looming",
    "MouseLooming",
    "MouseWalk",
    "Odour",
    "OpenField",
    "Swim",
    "Task",
    "Thermotaxis",
    "Touch",
    "Turn",
    "Walk",
    "choose_task",
]

TASKS: Registry[Task] = Registry("task", "animat.tasks")
"""name -> function(duration_s=...) -> Task; "ANIMAL NAME" is what NAME is for that animal."""

_BUILT_IN: dict[str, Callable[..., Task]] = {
    "crawl": Crawl,
    "swim": Swim,
    "touch": Touch,
    "explore": Explore,
    "chemotaxis": Chemotaxis,
    "thermotaxis": Thermotaxis,
    "walk": Walk,
    "turn": Turn,
    "looming": Looming,
    "feed": Feed,
    "odour": Odour,
    "mouse walk": MouseWalk,
    "mouse looming": MouseLooming,
    "openfield": OpenField,
    "approach": Approach,
}
for _name, _task in _BUILT_IN.items():
    TASKS.add(_name, _task)


def choose_task(organism: Organism, task: str | Task | None = None, **settings: Any) -> Task:
    """The task of that name, or the task itself; None is the first of the organism's.

    Args:
        organism: who is to do it.
        task: a name in `TASKS`, a task, or None.
        settings: of a task that is named, such as duration_s.

    Raises:
        KeyError: no such task, or one for other animals, with the nearest that this animal has.
    """
    made = task if isinstance(task, Task) else _named(organism, organism.tasks[0] if task is None else task, settings)
    if isinstance(made, str) or (made.ANIMALS and organism.name not in made.ANIMALS):
        name = made if isinstance(made, str) else made.name
        hint = nearest(name, organism.tasks)
        raise UnknownNameError(f"organism {organism.name!r} has no task {name!r}; {hint}")
    return made


def _named(organism: Organism, name: str, settings: Mapping[str, Any]) -> Task | str:
    """The task of that name, the animal's own if it has one, or the name where there is none."""
    own = f"{organism.name} {name}"
    key = own if own in TASKS else name
    return TASKS[key](**settings) if key in TASKS else name
