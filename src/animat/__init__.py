"""animat: a connectome-driven brain in a MuJoCo body, as a Gymnasium environment.

Importing it registers the environment ids below by name only; MuJoCo, the engines and the tables load when one is made.
"""

from importlib.metadata import version

import gymnasium

__version__ = version("animat")

for _task in ("crawl", "swim", "touch", "chemotaxis", "thermotaxis", "explore"):
    gymnasium.register(
        id=f"animat/Worm{_task.capitalize()}-v0",
        entry_point="animat.envs.organism_env:OrganismEnv",
        kwargs={"organism": "worm", "task": _task},
    )
