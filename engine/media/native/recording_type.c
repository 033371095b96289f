#include "relay_type.h"

#include "recorder.h"

static PyTypeObject *recording_type;

static void dispose(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    recorder_release(((struct recording_object *)object)->recorder);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* The samples that have come since the last call, interleaved when stereo. */
static PyObject *read_samples(PyObject *object, PyObject *nothing)
{
    struct recorder *recorder = ((struct recording_object *)object)->recorder;
    (void)nothing;
    size_t count = atomic_load_explicit(&recorder->written, memory_order_acquire) -
                   atomic_load_explicit(&recorder->taken, memory_order_relaxed);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * sizeof(int16_t)));
    if (bytes)
        recorder_read(recorder, (int16_t *)(void *)PyBytes_AsString(bytes), count);
    return bytes;
}

static PyObject *tell_ended(PyObject *object, void *nothing)
{
    struct recorder *recorder = ((struct recording_object *)object)->recorder;
    (void)nothing;
    return PyBool_FromLong(atomic_load_explicit(&recorder->has_ended, memory_order_acquire));
}

bool recording_is(PyObject *object)
{
    return PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)(uintptr_t)dispose;
}

PyObject *recording_make(struct recorder *recorder)
{
    if (!recording_type)
        recording_type = (PyTypeObject *)PyType_FromSpec(&recording_type_spec);
    struct recording_object *self =
        recording_type ? (struct recording_object *)PyType_GenericAlloc(recording_type, 0) : NULL;
    if (self)
        self->recorder = recorder;
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"read", read_samples, METH_NOARGS, "The samples since the last call."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"has_ended", tell_ended, NULL, "Whether nothing more comes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What legs or a mix say, to be read now and then."},
    {Py_tp_dealloc, dispose},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

PyType_Spec recording_type_spec = {
    .name = "engine.media._native.Recording",
    .basicsize = sizeof(struct recording_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
