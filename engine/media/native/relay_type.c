#define _GNU_SOURCE
#include "relay_type.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mix.h"
#include "moment.h"
#include "ports.h"
#include "python_values.h"
#include "recorder.h"
#include "registry.h"
#include "relay.h"

enum { LONGEST_REST_S = 600, LONGEST_TONE_MS = 8000, MOST_HEARD = 64 };

struct relay_object {
    PyObject_HEAD
    struct relay *relay; /* NULL before start and after stop */
    struct ports ports;
    struct registry legs;
    double rest_s;
};

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"first_port", "last_port", "rest_s", NULL};
    int first, last;
    double rest_s;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "iid", names, &first, &last, &rest_s))
        return NULL;
    if (!(rest_s >= 0 && rest_s <= LONGEST_REST_S)) {
        PyErr_SetString(PyExc_ValueError, "a port pair rests from 0 to 600 s");
        return NULL;
    }
    struct ports ports;
    if (first < 1 || last > UINT16_MAX || first > last || !ports_begin(&ports, (uint16_t)first, (uint16_t)last))
        return PyErr_Format(PyExc_ValueError, "ports %d to %d hold no even and odd pair", first, last);
    struct relay_object *self = (struct relay_object *)PyType_GenericAlloc(type, 0);
    if (self) {
        self->ports = ports;
        self->rest_s = rest_s;
    }
    return (PyObject *)self;
}

static void close_all(struct relay_object *self)
{
    for (uint32_t slot = 0; slot < self->legs.size; slot++) {
        struct leg *leg = self->legs.slots[slot];
        struct pair *pair = leg ? leg->pair : NULL;
        if (leg && relay_command(self->relay, &(struct command){.kind = COMMAND_CLOSE, .leg = leg}))
            ports_give_back(pair);
    }
    registry_end(&self->legs);
}

static PyObject *stop(PyObject *object, PyObject *nothing)
{
    struct relay_object *self = (struct relay_object *)object;
    (void)nothing;
    struct relay *relay = self->relay;
    if (!relay)
        Py_RETURN_NONE;
    close_all(self);
    self->relay = NULL;
    Py_BEGIN_ALLOW_THREADS
    relay_stop(relay);
    Py_END_ALLOW_THREADS
    ports_end(&self->ports);
    Py_RETURN_NONE;
}

static void dispose(PyObject *object)
{
    struct relay_object *self = (struct relay_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->relay) {
        close_all(self);
        relay_stop(self->relay);
    }
    registry_end(&self->legs);
    ports_end(&self->ports);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyObject *start(PyObject *object, PyObject *nothing)
{
    struct relay_object *self = (struct relay_object *)object;
    (void)nothing;
    if (self->relay)
        Py_RETURN_NONE;
    self->relay = relay_start((uint64_t)(self->rest_s * 1e9));
    if (!self->relay)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static struct leg *find(struct relay_object *self, unsigned long long id)
{
    struct leg *leg = registry_find(&self->legs, id);
    if (!leg)
        PyErr_Format(PyExc_KeyError, "media leg %llu is closed", id);
    return leg;
}

/* Finds the leg that a call's only argument names. */
static struct leg *find_by(struct relay_object *self, PyObject *number)
{
    unsigned long long id = PyLong_AsUnsignedLongLong(number);
    if (id == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    return find(self, id);
}

static PyObject *command(struct relay_object *self, const struct command *command)
{
    if (!relay_command(self->relay, command))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static bool post_close(struct relay_object *self, struct leg *leg)
{
    struct pair *pair = leg->pair;
    if (!relay_command(self->relay, &(struct command){.kind = COMMAND_CLOSE, .leg = leg})) {
        PyErr_NoMemory();
        return false;
    }
    ports_give_back(pair);
    return true;
}

static struct leg *make_leg(struct relay_object *self, struct pair *pair)
{
    struct leg *leg = leg_make(pair);
    if (leg && registry_add(&self->legs, leg)) {
        if (relay_command(self->relay, &(struct command){.kind = COMMAND_OPEN, .leg = leg}))
            return leg;
        registry_remove(&self->legs, leg);
    }
    if (leg)
        leg_free(leg);
    return NULL;
}

static struct leg *open_on(struct relay_object *self, struct pair *pair)
{
    bool is_first = registry_count(&self->legs) == 0;
    struct leg *leg = make_leg(self, pair);
    if (!leg) {
        ports_forsake(pair);
        PyErr_NoMemory();
    } else if (is_first) {
        relay_wake(self->relay);
    }
    return leg;
}

static PyObject *open_leg(PyObject *object, PyObject *host)
{
    struct relay_object *self = (struct relay_object *)object;
    union address address;
    struct pair *pair;
    const char *text = PyUnicode_AsUTF8AndSize(host, NULL);
    if (!text)
        return NULL;
    if (!self->relay)
        return PyErr_Format(PyExc_RuntimeError, "the media gateway does not run: start it first");
    if (!address_read(&address, text, 0) || address_is_wildcard(&address)) {
        errno = EADDRNOTAVAIL;
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, host);
    }
    enum ports_outcome outcome = ports_take(&self->ports, self->relay, &address, &pair);
    if (outcome == PORTS_EXHAUSTED)
        Py_RETURN_NONE;
    if (outcome == PORTS_FAILED)
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, host);
    struct leg *leg = open_on(self, pair);
    return leg ? Py_BuildValue("KH", (unsigned long long)leg->id, pair->number) : NULL;
}

static PyObject *update_leg(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long id;
    PyObject *value;
    int sends, receives;
    if (!PyArg_ParseTuple(args, "KO!pp", &id, &PyTuple_Type, &value, &sends, &receives))
        return NULL;
    struct leg *leg = find(self, id);
    if (!leg)
        return NULL;
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return PyErr_NoMemory();
    plan->sends = sends;
    plan->receives = receives;
    if (!plan_from_python(plan, leg->pair->host.any.sa_family, value)) {
        free(plan);
        return NULL;
    }
    enum codec codec = plan_playable(plan, &leg->play_payload_type);
    struct command given = {.kind = COMMAND_PLAN, .leg = leg, .plan = plan};
    if (!relay_command(self->relay, &given)) {
        free(plan);
        return PyErr_NoMemory();
    }
    leg->play_codec = codec;
    Py_RETURN_NONE;
}

static PyObject *connect_legs(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long one_id, other_id;
    if (!PyArg_ParseTuple(args, "KK", &one_id, &other_id))
        return NULL;
    struct leg *one = find(self, one_id);
    struct leg *other = one ? find(self, other_id) : NULL;
    if (!other)
        return NULL;
    return command(self, &(struct command){.kind = COMMAND_CONNECT, .leg = one, .other = other});
}

static PyObject *disconnect_leg(PyObject *object, PyObject *number)
{
    struct relay_object *self = (struct relay_object *)object;
    struct leg *leg = find_by(self, number);
    return leg ? command(self, &(struct command){.kind = COMMAND_DISCONNECT, .leg = leg}) : NULL;
}

static PyObject *play(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long id;
    PyObject *clip;
    int repeats;
    if (!PyArg_ParseTuple(args, "KOp", &id, &clip, &repeats))
        return NULL;
    if (!clip_is(clip))
        return PyErr_Format(PyExc_TypeError, "play needs a Clip");
    struct leg *leg = find(self, id);
    if (!leg)
        return NULL;
    if (leg->play_codec == CODEC_NONE)
        Py_RETURN_FALSE;
    struct command given = {
        .kind = COMMAND_PLAY,
        .leg = leg,
        .clip = clip_hold(((struct clip_object *)clip)->clip),
        .repeats = repeats,
        .serial = leg->plays_asked + 1,
    };
    if (!relay_command(self->relay, &given)) {
        clip_release(given.clip);
        return PyErr_NoMemory();
    }
    leg->plays_asked++;
    Py_RETURN_TRUE;
}

static PyObject *stop_playing(PyObject *object, PyObject *number)
{
    struct relay_object *self = (struct relay_object *)object;
    struct leg *leg = find_by(self, number);
    return leg ? command(self, &(struct command){.kind = COMMAND_STOP_PLAYING, .leg = leg}) : NULL;
}

static PyObject *is_playing(PyObject *object, PyObject *number)
{
    struct leg *leg = find_by((struct relay_object *)object, number);
    if (!leg)
        return NULL;
    return PyBool_FromLong(atomic_load_explicit(&leg->plays_ended, memory_order_acquire) != leg->plays_asked);
}

static PyObject *listen_digits(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long id;
    int events, tones;
    if (!PyArg_ParseTuple(args, "Kpp", &id, &events, &tones))
        return NULL;
    struct leg *leg = find(self, id);
    if (!leg)
        return NULL;
    return command(self, &(struct command){.kind = COMMAND_LISTEN, .leg = leg, .events = events, .tones = tones});
}

static PyObject *send_digits(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long id;
    const char *digits;
    int tone_ms, gap_ms;
    if (!PyArg_ParseTuple(args, "Ksii", &id, &digits, &tone_ms, &gap_ms))
        return NULL;
    if (tone_ms < 1 || gap_ms < 1 || tone_ms > LONGEST_TONE_MS || gap_ms > LONGEST_TONE_MS ||
        strlen(digits) > DIGITS_QUEUE)
        return PyErr_Format(PyExc_ValueError, "at most %d digits of 1 to %d ms", DIGITS_QUEUE, LONGEST_TONE_MS);
    struct leg *leg = find(self, id);
    if (!leg)
        return NULL;
    struct command given = {
        .kind = COMMAND_SEND_DIGITS, .leg = leg, .tone_ms = (uint16_t)tone_ms, .gap_ms = (uint16_t)gap_ms};
    given.digits = strdup(digits);
    if (!given.digits)
        return PyErr_NoMemory();
    PyObject *done = command(self, &given);
    if (!done)
        free(given.digits);
    return done;
}

/* Reads whom a member may hear: None for everybody, or a sequence of ids. */
static bool read_heard(PyObject *value, uint64_t **heard, int *count)
{
    *heard = NULL;
    *count = MIX_EVERYBODY;
    if (value == Py_None)
        return true;
    Py_ssize_t size = PyTuple_Check(value) ? PyTuple_Size(value) : -1;
    if (size < 0 || size > MOST_HEARD) {
        PyErr_Format(PyExc_ValueError, "a member hears None or a tuple of at most %d legs", MOST_HEARD);
        return false;
    }
    *count = (int)size;
    *heard = calloc((size_t)size + 1, sizeof **heard);
    for (Py_ssize_t i = 0; *heard && i < size; i++)
        (*heard)[i] = PyLong_AsUnsignedLongLong(PyTuple_GetItem(value, i));
    if (*heard && !PyErr_Occurred())
        return true;
    free(*heard);
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    return false;
}

static PyObject *join_mix(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long id;
    PyObject *mix, *value;
    struct command given = {.kind = COMMAND_JOIN};
    if (!PyArg_ParseTuple(args, "OKO", &mix, &id, &value))
        return NULL;
    if (!mix_is(mix))
        return PyErr_Format(PyExc_TypeError, "join_mix needs a Mix");
    given.leg = find(self, id);
    if (!given.leg || !read_heard(value, &given.heard, &given.heard_count))
        return NULL;
    given.mix = mix_hold(((struct mix_object *)mix)->mix);
    PyObject *done = command(self, &given);
    if (!done) {
        free(given.heard);
        mix_release(given.mix);
    }
    return done;
}

static PyObject *leave_mix(PyObject *object, PyObject *number)
{
    struct relay_object *self = (struct relay_object *)object;
    struct leg *leg = find_by(self, number);
    return leg ? command(self, &(struct command){.kind = COMMAND_LEAVE, .leg = leg}) : NULL;
}

static PyObject *start_recorder(struct relay_object *self, struct recorder *recorder)
{
    PyObject *recording = recorder ? recording_make(recorder) : NULL;
    if (!recording) {
        recorder_release(recorder);
        return PyErr_NoMemory();
    }
    struct command given = {.kind = COMMAND_RECORD, .recorder = recorder_hold(recorder)};
    if (relay_command(self->relay, &given))
        return recording;
    recorder_release(recorder);
    Py_DECREF(recording);
    return PyErr_NoMemory();
}

static PyObject *record_legs(PyObject *object, PyObject *args)
{
    struct relay_object *self = (struct relay_object *)object;
    unsigned long long one_id, other_id;
    int is_stereo;
    if (!PyArg_ParseTuple(args, "KKp", &one_id, &other_id, &is_stereo))
        return NULL;
    struct leg *one = find(self, one_id);
    struct leg *other = one && other_id ? find(self, other_id) : NULL;
    if (!one || (other_id && !other))
        return NULL;
    return start_recorder(self, recorder_make(one, other, NULL, is_stereo));
}

static PyObject *record_mix(PyObject *object, PyObject *mix)
{
    struct relay_object *self = (struct relay_object *)object;
    if (!self->relay || !mix_is(mix))
        return PyErr_Format(PyExc_TypeError, "record_mix needs a Mix of a relay that runs");
    return start_recorder(self, recorder_make(NULL, NULL, ((struct mix_object *)mix)->mix, false));
}

static PyObject *stop_recording(PyObject *object, PyObject *recording)
{
    struct relay_object *self = (struct relay_object *)object;
    if (!recording_is(recording))
        return PyErr_Format(PyExc_TypeError, "stop_recording needs a Recording");
    if (!self->relay)
        Py_RETURN_NONE;
    struct recorder *recorder = recorder_hold(((struct recording_object *)recording)->recorder);
    PyObject *done = command(self, &(struct command){.kind = COMMAND_STOP_RECORDING, .recorder = recorder});
    if (!done)
        recorder_release(recorder);
    return done;
}

/* Whether a notice still says anything: legs are closed meanwhile, and other clips begun. */
static bool is_true_still(struct relay_object *self, const struct notice *notice)
{
    struct leg *leg = registry_find(&self->legs, notice->leg);
    return leg && (notice->kind != NOTICE_PLAYED || notice->value == leg->plays_asked);
}

static PyObject *take_notices(PyObject *object, PyObject *nothing)
{
    struct relay_object *self = (struct relay_object *)object;
    struct notice notice;
    (void)nothing;
    PyObject *list = PyList_New(0);
    if (!list || !self->relay)
        return list;
    notices_heed(&self->relay->notices);
    while (notices_take(&self->relay->notices, &notice)) {
        if (!is_true_still(self, &notice))
            continue;
        char digit[2] = {notice.kind == NOTICE_DIGIT ? (char)notice.value : 0, 0};
        PyObject *item = Py_BuildValue("Ks", (unsigned long long)notice.leg, digit);
        if (!item || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(item);
    }
    return list;
}

static PyObject *tell_notices(PyObject *object, void *nothing)
{
    struct relay_object *self = (struct relay_object *)object;
    (void)nothing;
    return PyLong_FromLong(self->relay ? self->relay->notices.fd : -1);
}

static PyObject *query(PyObject *object, PyObject *number)
{
    struct leg *leg = find_by((struct relay_object *)object, number);
    struct account account;
    if (!leg)
        return NULL;
    leg_read(leg, &account);
    return account_to_python(&account, moment_now_ns());
}

static PyObject *close_leg(PyObject *object, PyObject *number)
{
    struct relay_object *self = (struct relay_object *)object;
    struct leg *leg = find_by(self, number);
    PyObject *figures = leg ? query(object, number) : NULL;
    if (!figures)
        return NULL;
    registry_remove(&self->legs, leg);
    if (!post_close(self, leg)) {
        Py_DECREF(figures);
        return NULL;
    }
    return figures;
}

static PyObject *count_sessions(PyObject *object, void *nothing)
{
    (void)nothing;
    return PyLong_FromUnsignedLong(registry_count(&((struct relay_object *)object)->legs));
}

static PyObject *tell_real_time(PyObject *object, void *nothing)
{
    struct relay_object *self = (struct relay_object *)object;
    (void)nothing;
    return PyBool_FromLong(self->relay && self->relay->is_real_time);
}

static PyMethodDef methods[] = {
    {"start", start, METH_NOARGS, "Start the media thread."},
    {"stop", stop, METH_NOARGS, "Close all legs and end the thread."},
    {"open_leg", open_leg, METH_O, "(leg, port), or None when no pair is free."},
    {"update_leg", update_leg, METH_VARARGS, "Apply a plan."},
    {"connect", connect_legs, METH_VARARGS, "Relay between two legs."},
    {"disconnect", disconnect_leg, METH_O, "Part a leg from its other and end its playing."},
    {"play", play, METH_VARARGS, "Play a Clip; False when no format of the leg can be encoded."},
    {"stop_playing", stop_playing, METH_O, "End the playing."},
    {"is_playing", is_playing, METH_O, "Whether a clip still plays."},
    {"listen_digits", listen_digits, METH_VARARGS, "Begin or end to tell of digits."},
    {"send_digits", send_digits, METH_VARARGS, "Queue digits for the peer."},
    {"join_mix", join_mix, METH_VARARGS, "Put a leg into a mix."},
    {"leave_mix", leave_mix, METH_O, "Take a leg out of its mix."},
    {"record_legs", record_legs, METH_VARARGS, "Record one leg or two."},
    {"record_mix", record_mix, METH_O, "Record a mix."},
    {"stop_recording", stop_recording, METH_O, "End a recording."},
    {"take_notices", take_notices, METH_NOARGS, "What has happened on legs since the last call."},
    {"query", query, METH_O, "The figures."},
    {"close_leg", close_leg, METH_O, "Close and return the final figures."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"sessions", count_sessions, NULL, "Open legs.", NULL},
    {"is_real_time", tell_real_time, NULL, "Whether the thread runs under SCHED_RR.", NULL},
    {"notices_fd", tell_notices, NULL, "Readable when there are notices; -1 while the thread does not run.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The media thread with its legs."},
    {Py_tp_new, make},
    {Py_tp_dealloc, dispose},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

PyType_Spec relay_type_spec = {
    .name = "engine.media._native.Relay",
    .basicsize = sizeof(struct relay_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
