"""What synthetic tissue is made of: sizes, shares and looks, each with its unit and where it comes from.

`assumed` marks a choice of ours; `FIB-25` a figure read off the sections of the Janelia FIB-25 training volumes
(neuroproof_examples, fly medulla, 10 nm voxels), z 0:100 of sample 2, the part that may be used for choosing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .tissue_damage import Damage
from .volume import Voxel, check_voxel

__all__ = ["TissueSettings"]


@dataclass(frozen=True, kw_only=True)
class TissueSettings:
    """How tissue grows, looks and is damaged; the defaults are an isotropic FIB-SEM stack without damage."""

    voxel_nm: Voxel = (10.0, 10.0, 10.0)  # nm, (z, y, x); FIB-25
    # neurites
    pitch_nm: float = 120.0  # nm, distance of neighbouring thin neurites: their diameter with membrane; assumed
    thin_nm: float = 60.0  # nm, radius of an axon; assumed, half the pitch
    neck_nm: float = 45.0  # nm, radius of a spine's neck; assumed
    head_nm: float = 75.0  # nm, radius of a spine's head; assumed
    bouton_nm: float = 80.0  # nm, least radius of an axon at a synapse; assumed
    trunk_nm: float = 130.0  # nm, median radius of a dendrite's trunk, log-normal; assumed
    trunk_spread: float = 0.4  # standard deviation of its logarithm; assumed
    trunk_share: float = 0.2  # most of the volume that trunks may take; assumed
    branches: int = 3  # of a dendrite; assumed
    spine_share: float = 0.5  # of synapses that sit on a spine, not the shaft; assumed
    large_share: float = 0.45  # of the volume, processes of other neurons that pass through; assumed
    large_nm: float = 350.0  # nm, median radius of these, log-normal; FIB-25 by eye
    large_spread: float = 0.5  # standard deviation of its logarithm; assumed
    beading: float = 0.45  # share of its radius that a thick process loses where it is thinnest; assumed
    passing_share: float = 0.85  # of the space left that thin passing fibres fill; glia has the rest; assumed
    wiggle: float = 3.0  # dimensionless, how much a neurite's way costs in a bad place against a good one; assumed
    warp_nm: float = 14.0  # nm, rms waviness of membranes; assumed
    warp_scale_nm: float = 150.0  # nm, over which it changes; assumed
    sway_nm: float = 50.0  # nm, rms of how far whole neurites swing; assumed
    sway_scale_nm: float = 600.0  # nm, over which it changes; assumed
    # synapses
    synapses_per_count: float = 1.0  # synapses for a count of 1 in the connectome, at least one an edge; assumed
    cleft_radius_nm: float = 90.0  # nm, of the patch of membrane a synapse takes; assumed
    # looks, grey values 0 to 255
    cytoplasm: float = 150.0  # median; FIB-25
    cytoplasm_spread: float = 22.0  # standard deviation between neurites; FIB-25
    membrane: float = 82.0  # FIB-25
    membrane_nm: float = 17.0  # nm, half width of two membranes and the cleft between them; FIB-25
    membrane_patchiness: float = 0.35  # share of its contrast that a membrane loses in faint places; assumed
    mitochondrion: float = 84.0  # FIB-25
    mitochondria_share: float = 0.5  # of trunk and large neurite length that holds one; assumed
    density: float = 70.0  # of pre- and postsynaptic densities; FIB-25
    vacuole_share: float = 0.2  # of thick neurites' length, that holds one; assumed
    tubules: float = 2.0  # of reticulum, for every 100 nm of a thick neurite's length; assumed
    blur_px: float = 0.8  # px, of the beam, before the detector's noise; FIB-25
    texture: float = 11.0  # standard deviation of the cytoplasm's grain; FIB-25
    noise: float = 6.0  # standard deviation of the detector's noise; FIB-25
    # images by light
    barcodes: int = 0  # channels; 0 for none
    barcode_dropout: float = 0.2  # chance that a channel's staining fails in a place; the bar
    crosstalk: float = 0.1  # share of a channel seen in its neighbours; assumed
    stain_voxel_nm: float = 40.0  # nm, voxel of these images: light after expansion of the tissue; assumed
    transmitters: bool = False  # whether transmitters are imaged
    damage: Damage = field(default_factory=Damage)  # of sections; none

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxel_nm", check_voxel("TissueSettings", self.voxel_nm))
        for name in (
            "trunk_share",
            "spine_share",
            "large_share",
            "passing_share",
            "mitochondria_share",
            "barcode_dropout",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"TissueSettings: {name} ({getattr(self, name)}) must lie between 0 and 1")
        if self.pitch_nm < 4 * max(self.voxel_nm[1:]):
            raise ValueError(
                f"TissueSettings: pitch_nm ({self.pitch_nm} nm) must be four voxels or more of {self.voxel_nm} nm"
            )
