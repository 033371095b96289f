"""Builds the native media gateway, compiles the hot modules with mypyc, and ships lua/ and data/ inside the wheel.

A wheel holds the modules that every SIP message passes as machine code beside their source: a call then costs half.
An editable install has none of it: what is edited is what runs. ``FRONTDESK_COMPILE`` (0 or 1) overrides both.
Where mypyc is missing or refuses them the plain modules do the same work.
"""

import os
import sys
from glob import glob

from setuptools import Extension, setup

HOT = [
    *glob("engine/sip/*.py"),
    *glob("engine/sip/session/*.py"),
    *glob("engine/sip/transaction/*.py"),
    *(f"engine/core/{name}.py" for name in ("crew", "text", "throttle", "tokens")),
    *(f"engine/net/{name}.py" for name in ("endpoint", "nat", "udp")),
    *(
        f"engine/pbx/{name}.py"
        for name in (
            "authentication", "bindings", "bridge", "call", "consulting", "conversation", "lamps", "leg", "reach",
            "reception", "register_request", "registrar", "setup", "trace", "transfer", "verbs/dialling",
        )
    ),
    *glob("engine/pbx/routing/*.py"),
]  # fmt: skip
"""Not ``early_media``: it asks again for what it has set to ``None`` and what changes while it waits, which mypyc
takes for impossible."""
PLAIN = ("__init__.py", "sip/session/events.py", "sip/transaction/outputs.py")
"""Named tuples that speak of classes of later modules, which mypyc reads too early; nothing in them is slow."""


def is_asked_for() -> bool:
    """Whether this build is to hold machine code."""
    return os.environ.get("FRONTDESK_COMPILE", "1" if "bdist_wheel" in sys.argv else "0") != "0"


def compiled_modules() -> list[Extension]:
    """The hot modules as extensions; none when they cannot be compiled here."""
    try:
        from mypyc.build import mypycify
    except ImportError:
        print("mypyc is missing: the hot modules stay plain Python", file=sys.stderr)
        return []
    files = sorted(name for name in HOT if not name.endswith(PLAIN))
    # the project's own settings ask for packages, and for stubs that a build has no need of
    options = ["--config-file=", "--explicit-package-bases", "--ignore-missing-imports"]
    try:
        extensions: list[Extension] = mypycify(
            [*options, *files], opt_level="2", debug_level="0", multi_file=True, group_name="frontdesk"
        )
    except SystemExit:
        print("mypyc refuses the hot modules: they stay plain Python", file=sys.stderr)
        return []
    return extensions


hot = compiled_modules() if is_asked_for() else []

setup(
    ext_modules=[
        Extension(
            "engine.media._native",
            sources=sorted(glob("engine/media/native/*.c")),
            depends=sorted(glob("engine/media/native/*.h")),
            define_macros=[("Py_LIMITED_API", "0x030b0000")],
            extra_compile_args=["-std=c11", "-O3", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-pthread"],
            extra_link_args=["-pthread", "-ldl"],
            py_limited_api=True,
        ),
        *hot,
    ],
    # machine code of mypyc belongs to one version of Python, the media gateway's alone to all of them
    options={} if hot else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
