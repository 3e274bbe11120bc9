"""A mouse's eyes: two pictures of 64 by 48 points, each point a direction.

One eye looks 65 degrees to its side and 22 degrees up and sees 170 degrees across and 127.5 degrees from bottom to top,
so that both together see 300 degrees around the head and share 40 in front. A point is 2.66 degrees wide.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .eyes import PictureEye, Side

COLUMNS, LINES = 64, 48  # points of one eye's picture
ACROSS_DEG = 170.0  # deg; about 180 (Heesy 2004 as cited for mouse V1), here so that 40 in front are seen by both eyes:
# 35 to 40 in the mouse (J. Neurosci. 2010, 30:6713, table 1)
AZIMUTH_DEG = ACROSS_DEG / 2.0 - 20.0  # deg of its axis from straight ahead
FRAME_S = 0.02  # s, between pictures: assumed
ELEVATION_DEG = 22.0  # deg above the horizontal, assumed


@cache
def mouse_eye(side: Side) -> PictureEye:
    """The eye of a side; its picture starts at the top and, in either eye, on the animal's left."""
    step = np.deg2rad(ACROSS_DEG) / COLUMNS
    across = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * step  # rightwards
    upward = ((LINES - 1) / 2 - np.arange(LINES)) * step
    up, right = (grid.ravel() for grid in np.meshgrid(upward, across, indexing="ij"))
    ahead = np.stack([np.cos(up) * np.cos(right), -np.cos(up) * np.sin(right), np.sin(up)], axis=1)
    tilt, turn = np.deg2rad(ELEVATION_DEG), np.deg2rad(AZIMUTH_DEG) * (1.0 if side == "left" else -1.0)
    pitch = np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])
    yaw = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return PictureEye(
        side=side,
        directions=ahead @ (yaw @ pitch).T,
        acceptance_deg=ACROSS_DEG / COLUMNS,
        width=COLUMNS,
        height=LINES,
    )
