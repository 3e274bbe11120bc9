"""animat: a connectome-driven brain in a MuJoCo body, as a Gymnasium environment.

Importing it registers the environment ids below by name only; MuJoCo, the engines and the tables load when one is made.
"""

from importlib.metadata import version

import gymnasium

__version__ = version("animat")

_TASKS = {
    "fly": ("walk", "turn", "looming", "feed", "odour"),
    "mouse": ("walk", "openfield", "approach", "looming"),
    "worm": ("crawl", "swim", "touch", "chemotaxis", "thermotaxis", "explore"),
}

_SPELT = {"openfield": "OpenField"}  # tasks of two words


def env_id(organism: str, task: str) -> str:
    """The id under which an organism's task is registered: "animat/MouseOpenField-v0"."""
    return f"animat/{organism.capitalize()}{_SPELT.get(task, task.capitalize())}-v0"


for _organism, _tasks in _TASKS.items():
    for _task in _tasks:
        gymnasium.register(
            id=env_id(_organism, _task),
            entry_point="animat.envs.organism_env:OrganismEnv",
            kwargs={"organism": _organism, "task": _task},
        )
