#include "python_values.h"

#include <errno.h>
#include <string.h>

static bool fail_os(int error, const char *what, const char *host)
{
    PyObject *value = PyUnicode_FromFormat("%s '%s'", what, host);
    PyObject *args = value ? Py_BuildValue("(iN)", error, value) : NULL;
    if (args)
        PyErr_SetObject(PyExc_OSError, args);
    Py_XDECREF(args);
    return false;
}

static bool read_remote(struct plan *plan, int family, PyObject *remote)
{
    const char *host;
    int port, rtcp_port;
    if (remote == Py_None)
        return true;
    if (!PyArg_ParseTuple(remote, "sii", &host, &port, &rtcp_port))
        return false;
    if (port < 0 || port > UINT16_MAX || rtcp_port < 0 || rtcp_port > UINT16_MAX) {
        PyErr_Format(PyExc_ValueError, "the remote media ports %d and %d are not 0 to 65535", port, rtcp_port);
        return false;
    }
    if (!address_read(&plan->rtp, host, (uint16_t)port) || !address_read(&plan->rtcp, host, (uint16_t)rtcp_port)) {
        PyErr_Format(PyExc_ValueError, "the remote media host '%s' is no IP address", host);
        return false;
    }
    if (plan->rtp.any.sa_family != family)
        return fail_os(EAFNOSUPPORT, "this leg speaks another IP version than its remote media host", host);
    return true;
}

static bool read_format(struct format *format, PyObject *value)
{
    int payload_type;
    const char *encoding;
    int clock_rate;
    if (!PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a format is a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(value, "isi", &payload_type, &encoding, &clock_rate))
        return false;
    if (payload_type < 0 || payload_type >= RTP_PAYLOAD_TYPES || clock_rate < 1 || clock_rate > 1000000 ||
        strlen(encoding) >= PLAN_ENCODING_SIZE) {
        PyErr_Format(PyExc_ValueError, "payload type %d with '%s' at %d Hz cannot be relayed", payload_type, encoding,
                     clock_rate);
        return false;
    }
    format->payload_type = (uint8_t)payload_type;
    format->clock_rate = (uint32_t)clock_rate;
    strcpy(format->encoding, encoding);
    return true;
}

static bool read_formats(struct plan *plan, PyObject *formats)
{
    Py_ssize_t count = PyTuple_Size(formats);
    if (count > PLAN_FORMATS) {
        PyErr_Format(PyExc_ValueError, "a leg takes at most %d formats", PLAN_FORMATS);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (!read_format(&plan->format[i], PyTuple_GetItem(formats, i)))
            return false;
    plan->formats = (unsigned)count;
    return true;
}

/* A trusted host of the other IP version cannot send here: it is left out. */
static bool read_trusted(struct plan *plan, int family, PyObject *hosts)
{
    Py_ssize_t count = PyTuple_Size(hosts);
    for (Py_ssize_t i = 0; i < count && plan->trusted_hosts < LATCH_TRUSTED_HOSTS; i++) {
        const char *host = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(hosts, i), NULL);
        union address *trusted = &plan->trusted[plan->trusted_hosts];
        if (!host)
            return false;
        if (!address_read(trusted, host, 0)) {
            PyErr_Format(PyExc_ValueError, "the trusted media host '%s' is no IP address", host);
            return false;
        }
        plan->trusted_hosts += trusted->any.sa_family == family;
    }
    return true;
}

bool plan_from_python(struct plan *plan, int family, PyObject *value)
{
    PyObject *remote, *formats, *flow, *trusted;
    int is_datagrams = 0;
    if (!PyArg_ParseTuple(value, "OO!OO!i|p", &remote, &PyTuple_Type, &formats, &flow, &PyTuple_Type, &trusted,
                          &plan->packet_ms, &is_datagrams))
        return false;
    plan->is_datagrams = is_datagrams;
    return read_remote(plan, family, remote) && read_formats(plan, formats) && read_trusted(plan, family, trusted);
}

static PyObject *latched_to_python(const union address *latched)
{
    char host[INET6_ADDRSTRLEN];
    if (!address_is_known(latched))
        Py_RETURN_NONE;
    address_write_host(latched, host);
    return Py_BuildValue("(si)", host, address_port(latched));
}

static PyObject *seconds_since(uint64_t then_ns, uint64_t now_ns)
{
    if (!then_ns)
        Py_RETURN_NONE;
    return PyFloat_FromDouble(now_ns > then_ns ? (double)(now_ns - then_ns) / 1e9 : 0.0);
}

static PyObject *round_trip_to_python(float round_trip_ms)
{
    if (round_trip_ms < 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble((double)round_trip_ms);
}

PyObject *account_to_python(const struct account *account, uint64_t now_ns)
{
    const struct reception *reception = &account->reception;
    double told_jitter_ms = account->told_clock_rate ? account->told_jitter * 1000.0 / account->told_clock_rate : 0.0;
    return Py_BuildValue("(KKKKd)(KKId)NKKKNNN", (unsigned long long)reception->packets,
                         (unsigned long long)reception->octets, (unsigned long long)reception_expected(reception),
                         (unsigned long long)reception_lost(reception), reception_jitter_ms(reception),
                         (unsigned long long)account->sent_packets, (unsigned long long)account->sent_octets,
                         account->told_lost, told_jitter_ms, latched_to_python(&account->latched),
                         (unsigned long long)account->strangers, (unsigned long long)account->malformed,
                         (unsigned long long)account->unexpected_payload, round_trip_to_python(account->round_trip_ms),
                         seconds_since(account->heard_at_ns, now_ns), PyBool_FromLong(account->is_quiet));
}
