"""jax where it is installed, and else what to install."""

from typing import Any

INSTALL = "pip install 'animat[gpu]', with an NVIDIA GPU also pip install 'jax[cuda12]'"

try:
    import jax
    import jax.numpy as jnp
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(f"engine 'jax' needs jax: {INSTALL}") from missing

Array = Any  # a jax array, or what stands for one while jax traces; jax is optional, so that its types are not known

PRECISIONS = ("single", "double")


def precise(precision: str) -> Any:
    """The context in which jax has 64-bit numbers ("double") or has none ("single").

    Raises:
        ValueError: another word.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"jax: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    return jax.enable_x64(precision == "double")


__all__ = ["Array", "jax", "jnp", "precise"]
