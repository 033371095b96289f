/* The Python types of the extension. */
#ifndef FRONTDESK_RELAY_TYPE_H
#define FRONTDESK_RELAY_TYPE_H

#include <Python.h>

#include <stdbool.h>

#include "clip.h"

extern PyType_Spec relay_type_spec;
extern PyType_Spec clip_type_spec;

struct clip_object {
    PyObject_HEAD
    struct clip *clip;
};

bool clip_is(PyObject *object);

#endif
