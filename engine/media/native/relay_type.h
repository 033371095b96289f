/* The Python types of the extension. */
#ifndef FRONTDESK_RELAY_TYPE_H
#define FRONTDESK_RELAY_TYPE_H

#include <Python.h>

#include <stdbool.h>

#include "clip.h"

extern PyType_Spec relay_type_spec;
extern PyType_Spec clip_type_spec;
extern PyType_Spec mix_type_spec;
extern PyType_Spec recording_type_spec;

struct mix;
struct recorder;

struct clip_object {
    PyObject_HEAD
    struct clip *clip;
};

struct mix_object {
    PyObject_HEAD
    struct mix *mix;
};

struct recording_object {
    PyObject_HEAD
    struct recorder *recorder;
};

bool clip_is(PyObject *object);
bool mix_is(PyObject *object);
bool recording_is(PyObject *object);

/* A Recording that takes over the hold on the recorder; NULL with an exception, and the hold stays, when memory is out. */
PyObject *recording_make(struct recorder *recorder);

#endif
