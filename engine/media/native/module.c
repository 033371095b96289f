#include "opus_voice.h"
#include "relay_type.h"

static int add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (!type)
        return -1;
    int outcome = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return outcome;
}

static int fill(PyObject *module)
{
    return add_type(module, &relay_type_spec) < 0 || add_type(module, &clip_type_spec) < 0 ||
                   add_type(module, &mix_type_spec) < 0 || add_type(module, &recording_type_spec) < 0
               ? -1
               : 0;
}

static PyObject *opus_version(PyObject *module, PyObject *nothing)
{
    const char *version = opus_voice_version();
    (void)module;
    (void)nothing;
    if (!version)
        Py_RETURN_NONE;
    return PyUnicode_FromString(version);
}

static PyMethodDef functions[] = {
    {"opus_version", opus_version, METH_NOARGS, "What libopus says of itself; None where it is not installed."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "engine.media._native",
    .m_doc = "The native media relay: RTP and RTCP on its own thread.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
