/* Python values to and from the relay's structs; the only files that know Python are this pair, relay_type and module. */
#ifndef FRONTDESK_PYTHON_VALUES_H
#define FRONTDESK_PYTHON_VALUES_H

#include <Python.h>

#include "leg.h"

/* Reads a LegPlan: (remote, formats, flow, trusted_hosts, packet_ms), where remote is None or (host, port, rtcp_port) and
 * formats a tuple of (payload_type, encoding, clock_rate); the flow stands in the plan already. False with ValueError, or
 * OSError for a remote of another address family than the leg's. */
bool plan_from_python(struct plan *plan, int family, PyObject *value);

/* The figures as the tuple that _native.pyi describes. */
PyObject *account_to_python(const struct account *account, uint64_t now_ns);

#endif
