"""animat: a connectome-driven brain in a MuJoCo body, as a Gymnasium environment.

Importing it registers the environment ids below by name only; MuJoCo, the engines and the tables load when one is made.
"""

from importlib.metadata import version

import gymnasium

__version__ = version("animat")

_TASKS = {
    "fly": ("walk", "turn", "looming", "feed", "odour"),
    "mouse": ("walk",),
    "worm": ("crawl", "swim", "touch", "chemotaxis", "thermotaxis", "explore"),
}

for _organism, _tasks in _TASKS.items():
    for _task in _tasks:
        gymnasium.register(
            id=f"animat/{_organism.capitalize()}{_task.capitalize()}-v0",
            entry_point="animat.envs.organism_env:OrganismEnv",
            kwargs={"organism": _organism, "task": _task},
        )
