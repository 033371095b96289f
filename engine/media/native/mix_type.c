#include "relay_type.h"

#include "mix.h"

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "", names))
        return NULL;
    struct mix *mix = mix_make();
    if (!mix)
        return PyErr_NoMemory();
    struct mix_object *self = (struct mix_object *)PyType_GenericAlloc(type, 0);
    if (self)
        self->mix = mix;
    else
        mix_release(mix);
    return (PyObject *)self;
}

static void dispose(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    mix_release(((struct mix_object *)object)->mix);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

bool mix_is(PyObject *object)
{
    return PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)(uintptr_t)dispose;
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "A mix of legs; it lives as long as it has members or is held."},
    {Py_tp_new, make},
    {Py_tp_dealloc, dispose},
    {0, NULL},
};

PyType_Spec mix_type_spec = {
    .name = "engine.media._native.Mix",
    .basicsize = sizeof(struct mix_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
