"""Ask the processor for memory early: a random row of a large array takes hundreds of cycles to arrive."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

READ, KEEP, DATA = 0, 3, 1  # the last three arguments of llvm.prefetch
LINE = 16  # numbers of four bytes in a cache line


@intrinsic
def prefetch(typing: Any, array: Any, place: Any) -> Any:
    """Start to load the cache line of `array[place]`, a one-dimensional array; changes nothing, cannot fail."""
    signature = types.void(array, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        made = context.make_array(kind)(context, builder, arguments[0])
        pointer = cgutils.get_item_pointer(context, builder, kind, made, [arguments[1]], wraparound=False)
        pointer = builder.bitcast(pointer, cgutils.voidptr_t)
        flag = ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
        function = builder.module.declare_intrinsic("llvm.prefetch", (cgutils.voidptr_t,), form)
        builder.call(function, [pointer, flag(READ), flag(KEEP), flag(DATA)])
        return context.get_dummy_value()

    return signature, generate
