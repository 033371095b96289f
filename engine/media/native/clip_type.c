#include "relay_type.h"

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"samples", NULL};
    Py_buffer samples;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "y*", names, &samples))
        return NULL;
    size_t count = (size_t)samples.len / sizeof(int16_t);
    struct clip *clip = count ? clip_make(samples.buf, count) : NULL;
    PyBuffer_Release(&samples);
    if (!clip)
        return count ? PyErr_NoMemory() : (PyErr_SetString(PyExc_ValueError, "a clip needs a sample"), NULL);
    struct clip_object *self = (struct clip_object *)PyType_GenericAlloc(type, 0);
    if (self)
        self->clip = clip;
    else
        clip_release(clip);
    return (PyObject *)self;
}

static void dispose(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    clip_release(((struct clip_object *)object)->clip);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

bool clip_is(PyObject *object)
{
    return PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)(uintptr_t)dispose;
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "Linear samples that the media thread can play; a copy."},
    {Py_tp_new, make},
    {Py_tp_dealloc, dispose},
    {0, NULL},
};

PyType_Spec clip_type_spec = {
    .name = "engine.media._native.Clip",
    .basicsize = sizeof(struct clip_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
