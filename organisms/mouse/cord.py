"""The cord as an episode begins: already stepping.

From any other start the limbs need about half a second to find their phases, in which two limbs of a girdle may lift
at once, and a mouse that stands on the other two falls. So the rhythm runs before the body is let go.
"""

from __future__ import annotations

from ...brains.population import PopulationNetwork
from ...brains.population_brain import PopulationBrain
from .spinal import command

BEFORE_S = 1.5  # s, of stepping before an episode; five steps, assumed


class SteppingCord(PopulationBrain):
    """A `PopulationBrain` whose reset leaves it in the rhythm of a constant command.

    Args:
        network: of a cord.
        seed: of the noise and the starting state.
        alpha: command to both sides before the episode.
    """

    def __init__(self, network: PopulationNetwork, seed: int = 0, alpha: float = 0.12) -> None:
        self._alpha = alpha
        super().__init__(network, seed)

    def reset(self, seed: int | None = None) -> None:
        """Start again, stepping; `seed` replaces the seed, None keeps the one before."""
        super().reset(seed)
        self.step(command(self.names, self._alpha), BEFORE_S)
