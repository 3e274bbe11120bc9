"""Eyes in a MuJoCo world: they stand on the head, look past the animal's own body and see what is in front of them."""

import mujoco
import numpy as np
import pytest

from animat.bodies.eyes import hexagonal_eye
from animat.bodies.retina import Retina
from animat.registry import UnknownNameError

WORLD = """
<mujoco><worldbody>
  <geom name="floor" type="plane" size="0 0 1" rgba="0.3 0.3 0.3 1"/>
  <geom name="post" type="cylinder" size="1 20" pos="7 8 0" rgba="0 0 0 1"/>
  <body name="thorax" pos="0 0 5"><freejoint/>
    <geom name="trunk" type="sphere" size="2" rgba="1 1 1 1"/>
    <body name="head" pos="1 0 0"><geom type="sphere" size="1" rgba="1 1 1 1"/>
      <site name="eye_L" pos="0.3 0.3 0"/><site name="eye_R" pos="0.3 -0.3 0"/></body>
  </body>
</worldbody></mujoco>
"""
EYES = (hexagonal_eye("left", radius=9), hexagonal_eye("right", radius=9))


class Light:
    """The same brightness everywhere, brighter with time."""

    def luminance(self, directions, position_mm, time_s):
        return np.full(len(directions), 0.8 + 0.1 * time_s)


@pytest.fixture
def world():
    model = mujoco.MjModel.from_xml_string(WORLD)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def test_the_eyes_look_past_their_own_body_at_floor_post_and_panorama(world):
    model, data = world
    seen = Retina(model, EYES).look(data, Light(), 1.0)
    assert seen.shape == (2, EYES[0].n)
    assert set(np.unique(seen[0].round(6))) == {0.0, 0.3, 0.9}
    assert set(np.unique(seen[1].round(6))) == {0.3, 0.9}
    assert (seen[1] < 0.5).mean() == pytest.approx((EYES[1].directions[:, 2] < 0).mean(), abs=0.02)


def test_the_post_moves_forward_on_the_eye_when_the_animal_turns_left(world):
    model, data = world
    retina = Retina(model, EYES)

    def forwardness():
        mujoco.mj_forward(model, data)
        return EYES[0].directions[retina.look(data, Light(), 0.0)[0] < 0.1, 0].mean()

    before = forwardness()
    data.qpos[3:7] = [np.cos(0.2), 0, 0, np.sin(0.2)]
    assert forwardness() > before + 0.2


def test_looking_leaves_the_model_as_it_was_also_after_an_error(world):
    model, data = world
    groups = model.geom_group.copy()
    retina = Retina(model, EYES)
    retina.look(data, Light(), 0.0)
    assert np.array_equal(model.geom_group, groups)
    with pytest.raises(AttributeError):
        retina.look(data, None, 0.0)
    assert np.array_equal(model.geom_group, groups)


def test_what_is_declared_unseen_is_looked_through(world):
    model, data = world
    assert Retina(model, EYES, unseen=("floor", "post")).look(data, Light(), 0.0) == pytest.approx(0.8)
    assert Retina(model, EYES, unseen=("floor",)).look(data, Light(), 0.0)[1] == pytest.approx(0.8)


def test_a_site_body_or_geom_that_is_not_there_is_named_with_the_nearest(world):
    model, _ = world
    for arguments in ({"sites": ("eye_l", "eye_R")}, {"own": "thoraks"}, {"unseen": ("flor",)}):
        with pytest.raises(UnknownNameError, match="did you mean"):
            Retina(model, EYES, **arguments)
    with pytest.raises(ValueError, match="as many sites"):
        Retina(model, EYES, sites=("eye_L",))
