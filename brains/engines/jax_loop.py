"""The compiled loop of the jax engine: every neuron of every copy of a network at every step.

Copies stand behind one another in one row of copies * n neurons and share the edges, so that a batch costs no more
instructions than a single brain. The order within a step is that of `dense_loop`: states, thresholds, arriving spikes,
Poisson input, resets; spikes are sent in the ascending order of their neurons. They are sent at the start of the next
step, before anything is read from the ring of sums: so XLA works on the ring in place, and does not copy all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

from ..models.spiking_model import SpikingModel
from .jax_import import Array, jax, jnp
from .jax_model import Rows, Step, step_of

BLOCK = 64  # steps of one call
SPIKES = 128  # looked up at a time
EDGES = 64, 16_384  # sent at a time: a thousandth of all, but not fewer and not more
WIDTH = 32  # of the rows in which a sum is run along


class Wiring(NamedTuple):
    """The edges by their source, of one copy; shapes (n,) and (edges,)."""

    start: Array
    degree: Array
    target: Array
    weight: Array  # what is added
    row: Array  # receptor * slots, of the ring
    delay: Array


class Moving(NamedTuple):
    """What changes at every step, of all copies."""

    x: Rows
    last: Array  # (neurons,) step of the last spike
    fired: Array  # (neurons,) whose spike of the step before is not sent yet
    arriving: Array  # (receptors * slots * neurons,) sums of what arrives at each step to come


class Given(NamedTuple):
    """What does not change within a block."""

    refractory: Array  # (neurons,) steps, 1 or more
    drive: Array  # (neurons,)
    jump: Array  # (neurons,) of an event of the neuron's train, mV
    events: Array  # (BLOCK, most) neurons with an event of their train; the number of neurons where there are fewer
    background: Array  # (BLOCK, neurons) what else comes from outside, (BLOCK, 0) for nothing


Run = Callable[[Moving, Given, Wiring, Any, Array, Array, int], tuple[Moving, Array]]


def running_sum(values: Array) -> Array:
    """The sums of the first 1, 2, ... of some numbers, exact for whole ones below 2^24; shape (size,).

    By products with a triangle of ones: jax's own takes a millisecond for 64,000 numbers on a CPU, this a seventh.
    """
    ones = jnp.triu(jnp.ones((WIDTH, WIDTH), jnp.float32))
    if values.size <= WIDTH:
        return jnp.matmul(values, ones[: values.size, : values.size], precision="highest")
    height = -(-values.size // WIDTH)
    table = jnp.pad(values, (0, height * WIDTH - values.size)).reshape(height, WIDTH)
    along = jnp.matmul(table, ones, precision="highest")
    before = running_sum(along[:, -1]) - along[:, -1]
    return (along + before[:, None]).ravel()[: values.size]


def send(wiring: Wiring, arriving: Array, fired: Array, step: Array, slots: int) -> Array:
    """Add what the spikes of a step bring to the sums of the steps to come, some spikes and some edges at a time."""
    size, n, edges = fired.size, wiring.start.size, wiring.target.size
    if not edges:
        return arriving
    ranks = running_sum(fired.astype(jnp.float32))
    lanes = min(max(1 << (size // n * edges // 1000).bit_length(), EDGES[0]), EDGES[1])

    def some_spikes(state: tuple[Array, Array]) -> tuple[Array, Array]:
        done, arriving = state
        nth = (done + jnp.arange(1, SPIKES + 1)).astype(ranks.dtype)
        who = jnp.searchsorted(ranks, nth).astype(jnp.int32)
        cell = who % n
        count = jnp.where(who < size, wiring.degree[cell], 0)
        ends = jnp.cumsum(count, dtype=jnp.int32)
        firsts = wiring.start[cell] - ends + count  # the edge k of these spikes is that of place k + firsts

        def some_edges(state: tuple[Array, Array]) -> tuple[Array, Array]:
            sent, arriving = state
            k = sent + jnp.arange(lanes, dtype=jnp.int32)
            over = jnp.zeros(lanes, jnp.float32).at[jnp.maximum(ends - sent, 0)].add(1.0, mode="drop")
            source = jnp.minimum(running_sum(over).astype(jnp.int32), SPIKES - 1)  # as many spikes end before edge k
            edge = firsts[source] + k
            slot = wiring.row[edge] + (step + wiring.delay[edge]) % slots
            place = slot * size + who[source] // n * n + wiring.target[edge]
            place = jnp.where(k < ends[-1], place, arriving.size)
            return sent + lanes, arriving.at[place].add(wiring.weight[edge], mode="drop")

        _, arriving = jax.lax.while_loop(lambda s: s[0] < ends[-1], some_edges, (jnp.int32(0), arriving))
        return done + SPIKES, arriving

    state = (jnp.int32(0), arriving)
    return jax.lax.while_loop(lambda s: s[0] < ranks[-1].astype(jnp.int32), some_spikes, state)[1]


def clear(arriving: Array, step: Array, slots: int, neurons: int) -> Array:
    """Empty the place in the ring of a step that is over."""
    zeros = jnp.zeros(neurons, arriving.dtype)
    for row in range(0, arriving.size // neurons, slots):
        place = (row + step % slots) * neurons
        arriving = jax.lax.dynamic_update_slice(arriving, zeros, (place,))
    return arriving


def receive(step: Step, x: Rows, arriving: Array, ready: Array, now: Array, slots: int) -> Rows:
    """Add what arrives now."""
    neurons = ready.size
    for r, row in enumerate(step.receptors):
        place = (r * slots + now % slots) * neurons
        x = step.receive(x, row, jax.lax.dynamic_slice(arriving, (place,), (neurons,)), ready)
    return x


def _receive_poisson(step: Step, x: Rows, given: Given, ready: Array, k: Array, receptor: int) -> Rows:
    """Add the events of the background and of the trains."""
    if given.background.shape[1]:
        x = step.receive(x, step.receptors[receptor], given.background[k], ready)
    who = given.events[k]
    jump = jnp.where(ready[who], given.jump[who], 0.0) if 0 in step.held else given.jump[who]
    return (x[0].at[who].add(jump, mode="drop"), *x[1:])


def run_block(
    step: Step,
    moving: Moving,
    given: Given,
    wiring: Wiring,
    c: Any,
    first: Array,
    count: Array,
    receptor: int,
) -> tuple[Moving, Array]:
    """Advance by `count` steps, BLOCK at most; returns who fired at each of them, shape (BLOCK, neurons)."""
    neurons = moving.last.size
    slots = moving.arriving.size // neurons // len(step.receptors)

    def one(k: Array, state: tuple[Moving, Array]) -> tuple[Moving, Array]:
        (x, last, fired, arriving), table = state
        now = first + k
        arriving = clear(send(wiring, arriving, fired, now - 1, slots), now - 1, slots, neurons)
        active = now - last >= given.refractory
        x = step.advance(x, active, given.drive, c)
        fired = active & step.above(x, c)
        last = jnp.where(fired, now, last)
        ready = now - last >= given.refractory
        x = receive(step, x, arriving, ready, now, slots)
        x = _receive_poisson(step, x, given, ready, k, receptor)
        return Moving(step.reset(x, fired, c), last, fired, arriving), table.at[k].set(fired)

    after: tuple[Moving, Array] = jax.lax.fori_loop(0, count, one, (moving, jnp.zeros((BLOCK, neurons), jnp.bool_)))
    return after


@cache
def compiled(model: type[SpikingModel]) -> Run:
    """`run_block` of a model, compiled at the first call with arrays of new shapes; it takes `moving` over."""
    run: Run = jax.jit(partial(run_block, step_of(model)), static_argnums=(6,), donate_argnums=(0,))
    return run
