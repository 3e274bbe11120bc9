"""Tasks: one file each, with reward, stimuli and measures."""

from collections.abc import Callable

from ...registry import Registry
from .chemotaxis import Chemotaxis
from .crawl import Crawl
from .explore import Explore
from .swim import Swim
from .task import Band, Task
from .thermotaxis import Thermotaxis
from .touch import Touch

__all__ = ["TASKS", "Band", "Chemotaxis", "Crawl", "Explore", "Swim", "Task", "Thermotaxis", "Touch"]

TASKS: Registry[Task] = Registry("task", "animat.tasks")
"""name -> function(duration_s=...) -> Task."""

_BUILT_IN: dict[str, Callable[..., Task]] = {
    "crawl": Crawl,
    "swim": Swim,
    "touch": Touch,
    "explore": Explore,
    "chemotaxis": Chemotaxis,
    "thermotaxis": Thermotaxis,
}
for _name, _task in _BUILT_IN.items():
    TASKS.add(_name, _task)
