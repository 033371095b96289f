"""Builds the native media gateway and ships lua/ and data/ inside the wheel."""

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "engine.media._native",
            sources=sorted(glob("engine/media/native/*.c")),
            depends=sorted(glob("engine/media/native/*.h")),
            define_macros=[("Py_LIMITED_API", "0x030b0000")],
            extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-pthread"],
            extra_link_args=["-pthread"],
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
