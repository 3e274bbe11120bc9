"""What the eyes of an animal see in its MuJoCo world: near geoms by rays, everything behind them as a panorama."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np

from ..registry import UnknownNameError, nearest
from .eyes import Eye, Floats, Panorama, geom_luminance, ray_luminance

AnyEye = TypeVar("AnyEye", bound=Eye)

HIDDEN_GROUP = 5  # where the animal's own geoms are while rays are cast
SEEN_GROUPS = np.array([1, 1, 1, 1, 1, 0], dtype=np.uint8)


class Retina(Generic[AnyEye]):
    """The eyes of one animal in one compiled model.

    Args:
        model: MjModel; lengths in mm.
        eyes: any number of them.
        sites: the site at which each eye stands; its axes are the head's (x forward, y left, z up).
        own: the animal's root body, whose geoms the eyes do not see.
        unseen: names of other geoms that the eyes look through, such as a floor in front of a drum.
        frame_s: between two pictures, s; 0 for a new one at every look.

    Raises:
        KeyError: no such site, body or geom, with the nearest name.
        ValueError: not one site for every eye.
    """

    def __init__(
        self,
        model: Any,
        eyes: tuple[AnyEye, ...],
        sites: tuple[str, ...] = ("eye_L", "eye_R"),
        own: str = "thorax",
        unseen: tuple[str, ...] = (),
        frame_s: float = 0.0,
    ) -> None:
        if len(sites) != len(eyes):
            raise ValueError(f"Retina: {len(eyes)} eyes need as many sites, got {', '.join(sites)}")
        self.model, self.eyes, self.frame_s = model, eyes, frame_s
        self._sites = [_index(model, "site", name) for name in sites]
        root = model.body_rootid[_index(model, "body", own)]
        self._hidden = model.body_rootid[model.geom_bodyid] == root
        self._hidden[[_index(model, "geom", name) for name in unseen]] = True
        self._shades = geom_luminance(model)

    def look(self, data: Any, panorama: Panorama, time_s: float) -> Floats:
        """Brightness seen by every facet, 0 to 1, shape (eyes, n); `data` with its kinematics done.

        A facet that meets a geom takes the shade of the one point in its middle; only the panorama is blurred.
        """
        groups = self.model.geom_group[self._hidden].copy()
        self.model.geom_group[self._hidden] = HIDDEN_GROUP
        try:
            return np.stack([self._look(data, k, panorama, time_s) for k in range(len(self.eyes))])
        finally:
            self.model.geom_group[self._hidden] = groups

    def _look(self, data: Any, k: int, panorama: Panorama, time_s: float) -> Floats:
        place, rotation = data.site_xpos[self._sites[k]], data.site_xmat[self._sites[k]].reshape(3, 3)
        far = self.eyes[k].look(panorama, rotation, place, time_s)
        if self._hidden.all():
            return far
        world = self.eyes[k].directions @ rotation.T
        return ray_luminance(self.model, data, place, world, self._shades, far, groups=SEEN_GROUPS)


def _index(model: Any, kind: str, name: str) -> int:
    """Index of a named site, body or geom."""
    import mujoco

    codes = {"site": mujoco.mjtObj.mjOBJ_SITE, "body": mujoco.mjtObj.mjOBJ_BODY, "geom": mujoco.mjtObj.mjOBJ_GEOM}
    found: int = mujoco.mj_name2id(model, codes[kind], name)
    if found < 0:
        count = {"site": model.nsite, "body": model.nbody, "geom": model.ngeom}[kind]
        known = [mujoco.mj_id2name(model, codes[kind], i) or "" for i in range(count)]
        raise UnknownNameError(f"Retina: no {kind} {name!r}; {nearest(name, [each for each in known if each])}")
    return found
