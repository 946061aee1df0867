"""The compiled kernels as Python sees them; refuses to go on when they are not built."""

from importlib.util import find_spec

from mmbot.errors import BuildError

if find_spec("mmbot.cext.orderbook") is None:
    raise BuildError("the native kernels are not built; run: python setup.py build_ext --inplace")
