"""Compound eyes: where the facets look, how they blur, and what rays into a MuJoCo world return."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.bodies.eyes import (
    NEIGHBOURS,
    SIDES,
    CompoundEye,
    geom_luminance,
    hexagon,
    hexagonal_eye,
    lattice_places,
    measured_eye,
    ray_luminance,
)

MAP = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fly" / "ucl_hex_right_20240701_tomale.csv"
WORLD = """
<mujoco><worldbody>
  <geom name="dark" type="box" size="1 1 5" pos="0 10 0" rgba="0.1 0.1 0.1 1"/>
  <geom name="own" type="sphere" size="1" pos="0 -3 0" rgba="1 1 1 1" group="3"/>
  <geom name="red" type="box" size="1 1 5" pos="0 -10 0" rgba="1 0 0 1"/>
</worldbody></mujoco>
"""


class Grating:
    """A sinusoid along one coordinate of the sphere, so that its wavelength is known everywhere near the equator."""

    def __init__(self, cycles):
        self.cycles = cycles

    def luminance(self, directions, position_mm, time_s):
        return 0.5 + 0.5 * np.sin(self.cycles * np.arctan2(directions[:, 1], directions[:, 0]))


def measured(side):
    if not MAP.is_file():
        pytest.skip("the measured eye map is not at hand: ucl_hex_right_20240701_tomale.csv of connectome-interpreter")
    return measured_eye(MAP, side)


def test_a_radius_of_15_columns_makes_721_facets_about_as_far_apart_as_in_drosophila():
    eye = hexagonal_eye("left")
    assert eye.n == 721
    assert np.median(eye.neighbour_angles_deg()) == pytest.approx(4.8, abs=0.2)


def test_the_measured_map_has_852_facets_4_8_deg_apart():
    eye = measured("right")
    assert eye.n == 852
    assert np.median(eye.neighbour_angles_deg()) == pytest.approx(4.8, abs=0.1)
    assert eye.directions[:, 1].mean() < -0.4


def test_the_two_eyes_are_mirror_images_and_share_15_deg_in_front():
    left, right = (hexagonal_eye(side) for side in SIDES)
    assert right.directions == pytest.approx(left.directions * [1, -1, 1], abs=1e-12)
    level = left.directions[np.abs(left.directions[:, 2]) < 0.05]
    azimuth = np.degrees(np.arctan2(level[:, 1], level[:, 0]))
    assert azimuth.min() == pytest.approx(-7.5, abs=0.5)
    assert azimuth.max() == pytest.approx(122.5, abs=0.5)


@pytest.mark.parametrize("make", [hexagonal_eye, measured])
@pytest.mark.parametrize("side", SIDES)
def test_on_the_lattice_p_plus_q_is_up_and_q_minus_p_is_forward(make, side):
    eye = make(side)
    slopes = np.linalg.lstsq(
        np.column_stack([lattice_places(eye.columns), np.ones(eye.n)]), eye.directions, rcond=None
    )[0]
    forward, up = slopes[0], slopes[1]
    assert forward[0] > max(0.05, 5 * abs(forward[2]))
    assert up[2] > max(0.05, 5 * abs(up[0]))


@given(radius=st.integers(0, 6))
def test_a_hexagon_has_the_closed_number_of_columns_and_every_inner_one_six_neighbours(radius):
    columns = hexagon(radius)
    assert len(columns) == 3 * radius * (radius + 1) + 1
    if radius:
        eye = hexagonal_eye("left", radius=radius)
        inner = (np.abs(columns).max(axis=1) < radius) & (np.abs(columns[:, 0] - columns[:, 1]) < radius)
        assert (eye.neighbours[inner] >= 0).all()
        assert (eye.neighbours[~inner] < 0).any(axis=1).all()


def test_all_six_neighbours_are_one_facet_away():
    assert np.linalg.norm(lattice_places(NEIGHBOURS), axis=1) == pytest.approx(np.ones(6))


@pytest.mark.parametrize("cycles", [12, 18])
def test_a_facet_blurs_a_grating_as_a_gaussian_field_of_view_does(cycles):
    sigma = np.radians(5.0) / np.sqrt(8 * np.log(2))
    kept = np.exp(-0.5 * (sigma * cycles) ** 2)
    eye = CompoundEye(
        side="left", directions=np.array([[np.cos(0.4), np.sin(0.4), 0.0]]), columns=np.zeros((1, 2), int)
    )
    seen = eye.look(Grating(cycles), np.eye(3), np.zeros(3), 0.0)
    assert seen == pytest.approx(0.5 + 0.5 * kept * np.sin(0.4 * cycles), abs=0.005)


def test_turning_the_head_is_looking_elsewhere():
    eye, quarter = hexagonal_eye("left", radius=3), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned = CompoundEye(side="left", directions=eye.directions @ quarter.T, columns=eye.columns, acceptance_deg=0.0)
    sharp = CompoundEye(side="left", directions=eye.directions, columns=eye.columns, acceptance_deg=0.0)
    by_head = sharp.look(Grating(5), quarter, np.zeros(3), 0.0)
    assert by_head == pytest.approx(turned.look(Grating(5), np.eye(3), np.zeros(3), 0.0), abs=1e-12)


def test_rays_return_the_grey_of_the_first_geom_that_is_seen_and_what_is_behind_elsewhere():
    model = mujoco.MjModel.from_xml_string(WORLD)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    directions = np.array([[0.0, 1, 0], [0, -1, 0], [1, 0, 0]])
    others = np.array([1, 1, 1, 0, 1, 1], dtype=np.uint8)
    shades, behind = geom_luminance(model), np.array([0.2, 0.4, 0.6])
    seen = ray_luminance(model, data, np.zeros(3), directions, shades, behind, groups=others)
    assert seen == pytest.approx([0.1, 0.2126, 0.6], abs=1e-6)
    assert ray_luminance(model, data, np.zeros(3), directions, shades, behind)[1] == pytest.approx(1.0)
    near = ray_luminance(model, data, np.zeros(3), directions, shades, behind, groups=others, reach=5.0)
    assert near == pytest.approx(behind)


def test_a_geom_with_a_material_is_as_bright_as_the_material():
    xml = """<mujoco><asset><material name="m" rgba="0 1 0 1"/></asset>
    <worldbody><geom size="1" material="m"/></worldbody></mujoco>"""
    assert geom_luminance(mujoco.MjModel.from_xml_string(xml)) == pytest.approx([0.7152], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "middle"}, "left, right"),
        ({"directions": np.array([[2.0, 0, 0]])}, "length 1"),
        ({"columns": np.zeros((2, 2), int)}, r"\(n, 2\)"),
        ({"acceptance_deg": 90.0}, "acceptance_deg"),
    ],
)
def test_an_eye_that_cannot_be_is_refused(change, message):
    good = {"side": "left", "directions": np.array([[1.0, 0, 0]]), "columns": np.zeros((1, 2), int)}
    with pytest.raises(ValueError, match=message):
        CompoundEye(**{**good, **change})


def test_a_map_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("x,y,z\n1,0,0\n")
    with pytest.raises(ValueError, match="lacks the columns p, q"):
        measured_eye(path, "left")


@pytest.mark.parametrize("arguments", [{"radius": -1}, {"radius": 15, "spacing_deg": 12.0}])
def test_a_hexagonal_eye_that_does_not_fit_on_the_sphere_is_refused(arguments):
    with pytest.raises(ValueError, match="radius"):
        hexagonal_eye("left", **arguments)
