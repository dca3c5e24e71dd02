/* The Python side of captures: frames found, counted, decoded. */
#include "module.h"

#include "count.h"

#include <stdlib.h>
#include <string.h>

#define VALUE(name, column, item, place) place,

static const char walker_name[] = "fwengine.native.walker";

static void destroy_walker(PyObject *capsule)
{
    fwk_walker *w = PyCapsule_GetPointer(capsule, walker_name);
    if (w)
        free(w->interfaces);
    free(w);
}

static PyObject *walker(PyObject *self, PyObject *args)
{
    int pcapng, big, swapped;
    unsigned header, link, scale, in, out;
    int state_in, state_out;
    (void)self;
    if (!PyArg_ParseTuple(args, "ppIiIIIIpp", &pcapng, &big, &header, &swapped, &link, &scale, &in, &out, &state_in,
                          &state_out))
        return NULL;
    if ((header != 16 && header != 24) || link > 0xffff || scale > 1000 || in > 0xffff || out > 0xffff) {
        PyErr_SetString(PyExc_ValueError, "a walker's header, link or interface is out of range");
        return NULL;
    }
    fwk_walker *w = calloc(1, sizeof *w);
    if (!w)
        return PyErr_NoMemory();
    w->pcapng = pcapng;
    w->big = big;
    w->header = header;
    w->swapped = swapped;
    w->link = (uint16_t)link;
    w->scale = scale;
    w->in = (uint16_t)in;
    w->out = (uint16_t)out;
    w->state_in = state_in;
    w->state_out = state_out;
    PyObject *capsule = PyCapsule_New(w, walker_name, destroy_walker);
    if (!capsule)
        free(w);
    return capsule;
}

static PyObject *walk(PyObject *self, PyObject *args)
{
    PyObject *capsule, *data, *frames;
    Py_ssize_t at;
    Py_buffer d, f;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOnO", &capsule, &data, &at, &frames))
        return NULL;
    fwk_walker *w = PyCapsule_GetPointer(capsule, walker_name);
    if (!w || !fwk_view(data, &d, 1, -1, 0, "data"))
        return NULL;
    if (!fwk_view(frames, &f, sizeof(fwk_frame), -1, 1, "frames")) {
        PyBuffer_Release(&d);
        return NULL;
    }
    PyObject *result = NULL;
    if (at < 0 || at > d.len || (uint64_t)d.len > 0xffffffffu || (uintptr_t)f.buf % 8)
        PyErr_SetString(PyExc_ValueError, "at, data or frames are out of range");
    else {
        size_t room = (size_t)f.len / sizeof(fwk_frame);
        int reason;
        Py_BEGIN_ALLOW_THREADS;
        reason = fwk_walk(w, d.buf, (size_t)d.len, (size_t)at, f.buf, room > 0xffffffffu ? 0xffffffffu : (uint32_t)room);
        Py_END_ALLOW_THREADS;
        if (reason == FWK_DESCRIBED || reason == FWK_TIME || reason == FWK_NAMED)
            result = Py_BuildValue("innIIny#iL", reason, (Py_ssize_t)w->at, (Py_ssize_t)w->need, w->frames, w->detail,
                                   (Py_ssize_t)w->described.link, (const char *)d.buf + w->name, (Py_ssize_t)w->name_length,
                                   (int)w->resolution, (long long)w->epoch);
        else
            result = Py_BuildValue("innIInyiL", reason, (Py_ssize_t)w->at, (Py_ssize_t)w->need, w->frames, w->detail,
                                   (Py_ssize_t)0, "", 0, 0LL);
    }
    PyBuffer_Release(&f);
    PyBuffer_Release(&d);
    return result;
}

static PyObject *describe_interface(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    unsigned in, out, name, clock;
    (void)self;
    if (!PyArg_ParseTuple(args, "OIIII", &capsule, &in, &out, &name, &clock))
        return NULL;
    fwk_walker *w = PyCapsule_GetPointer(capsule, walker_name);
    if (!w)
        return NULL;
    if (in > 0xffff || out > 0xffff || name > 0x7fffffffu || w->count >= FWK_MAX_INTERFACES) {
        PyErr_SetString(PyExc_ValueError, "an interface is out of range");
        return NULL;
    }
    w->described.clock = clock;
    if (!fwk_describe(w, (uint16_t)in, (uint16_t)out, name))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *name_interface(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    unsigned in, out, name;
    (void)self;
    if (!PyArg_ParseTuple(args, "OIII", &capsule, &in, &out, &name))
        return NULL;
    fwk_walker *w = PyCapsule_GetPointer(capsule, walker_name);
    if (!w)
        return NULL;
    if (in > 0xffff || out > 0xffff || name > 0x7fffffffu) {
        PyErr_SetString(PyExc_ValueError, "an interface is out of range");
        return NULL;
    }
    fwk_name(w, (uint16_t)in, (uint16_t)out, name);
    Py_RETURN_NONE;
}

static PyObject *used(PyObject *self, PyObject *capsule)
{
    (void)self;
    const fwk_walker *w = PyCapsule_GetPointer(capsule, walker_name);
    return w ? PyBytes_FromStringAndSize((const char *)w->used, sizeof w->used) : NULL;
}

int fwk_view_frames(PyObject *data, PyObject *frames, Py_ssize_t count, Py_buffer *d, Py_buffer *f, int *recorded)
{
    if (!fwk_view(data, d, 1, -1, 0, "data"))
        return 0;
    if (!fwk_view(frames, f, sizeof(fwk_frame), -1, 0, "frames")) {
        PyBuffer_Release(d);
        return 0;
    }
    const fwk_frame *frame = f->buf;
    int good = count >= 0 && count <= f->len / (Py_ssize_t)sizeof *frame && (uintptr_t)f->buf % 8 == 0;
    uint32_t any = 0;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        good = (uint64_t)frame[i].offset + frame[i].captured <= (uint64_t)d->len;
        any |= frame[i].recorded;
    }
    *recorded = any != 0;
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "frames do not lie within the data");
        PyBuffer_Release(f);
        PyBuffer_Release(d);
    }
    return good;
}

static PyObject *count(PyObject *self, PyObject *args)
{
    PyObject *v4, *v6, *data, *frames, *counts, *recorded, *kinds, *indices = Py_None, *result = NULL;
    const char *name;
    unsigned state;
    Py_buffer d, f, c, r, k, x = {0};
    Py_ssize_t n;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOsOOnIOOO|O", &v4, &v6, &name, &data, &frames, &n, &state, &counts, &recorded, &kinds,
                          &indices))
        return NULL;
    int engine = fwk_engine_of(name);
    if (engine < 0)
        return NULL;
    fwk_tally t = {.v4 = PyCapsule_GetPointer(v4, fwk_family_name), .state = state};
    t.v6 = t.v4 ? PyCapsule_GetPointer(v6, fwk_family_name) : NULL;
    if (!t.v6)
        return NULL;
    if (t.v4->table->dims != 5 || t.v6->table->dims != 11 || t.v4->rules != t.v6->rules) {
        PyErr_SetString(PyExc_ValueError, "these are not the two families of one policy");
        return NULL;
    }
    if (!fwk_view(counts, &c, 8, 2 * ((Py_ssize_t)t.v4->rules + 1 + FWK_CLASS_ROWS), 1, "counts"))
        return NULL;
    if (!fwk_view(recorded, &r, 8, 2 * ((Py_ssize_t)t.v4->rules + 1 + FWK_CLASS_ROWS), 1, "recorded")) {
        PyBuffer_Release(&c);
        return NULL;
    }
    if (!fwk_view(kinds, &k, 4, -1, 1, "kinds")) {
        PyBuffer_Release(&r);
        PyBuffer_Release(&c);
        return NULL;
    }
    if (indices != Py_None && !fwk_view(indices, &x, 4, -1, 1, "indices"))
        goto done;
    if ((uintptr_t)c.buf % 8 || (uintptr_t)r.buf % 8 || k.len / 4 < n || (x.buf && x.len / 4 < n)) {
        PyErr_SetString(PyExc_ValueError, "counts are not in place, or kinds or indices are too few");
        goto done;
    }
    int logged;
    if (!fwk_view_frames(data, frames, n, &d, &f, &logged))
        goto done;
    t.recorded = logged ? r.buf : NULL;
    t.kinds = k.buf;
    t.run4 = fwk_engine(engine, t.v4->table);
    t.run6 = fwk_engine(engine, t.v6->table);
    t.count = c.buf;
    int good;
    Py_BEGIN_ALLOW_THREADS;
    good = fwk_count(&t, d.buf, f.buf, (size_t)n, x.buf);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&f);
    PyBuffer_Release(&d);
    if (good == FWK_COUNT_DONE) {
        PyObject *doubtful = PyList_New((Py_ssize_t)t.doubts);
        for (size_t i = 0; doubtful && i < t.doubts; i++) {
            PyObject *number = PyLong_FromUnsignedLong(t.doubtful[i]);
            if (!number || PyList_SetItem(doubtful, (Py_ssize_t)i, number)) /* which takes `number` over */
                Py_CLEAR(doubtful);
        }
        if (doubtful)
            result = Py_BuildValue("(nN)", (Py_ssize_t)t.kinds_used, doubtful);
    } else if (good == FWK_COUNT_MEMORY)
        PyErr_NoMemory();
    else
        PyErr_SetString(PyExc_ValueError, "an interface or the state is out of range");
    free(t.doubtful);
done:
    if (x.obj)
        PyBuffer_Release(&x);
    PyBuffer_Release(&k);
    PyBuffer_Release(&r);
    PyBuffer_Release(&c);
    return result;
}

/* The values of a frame's fields behind the class, as a tuple. */
static PyObject *rest_of(const fwk_packet *p, const fwk_frame *f)
{
    const fwk_tally none = {0}, *const t = &none;
    const uint32_t value[FWK_STAGES] = {FWK_FIELDS(VALUE)};
    PyObject *all = PyTuple_New(FWK_STAGES);
    for (int k = 0; all && k < FWK_STAGES; k++) {
        PyObject *one = PyLong_FromUnsignedLong(value[k]);
        if (!one || PyTuple_SetItem(all, k, one)) /* which takes `one` over */
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *decoded(PyObject *self, PyObject *args)
{
    PyObject *data, *frames;
    Py_ssize_t n;
    Py_buffer d, f;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOn", &data, &frames, &n))
        return NULL;
    int logged;
    if (!fwk_view_frames(data, frames, n, &d, &f, &logged))
        return NULL;
    PyObject *list = PyList_New(n);
    const fwk_frame *frame = f.buf;
    for (Py_ssize_t i = 0; list && i < n; i++) {
        fwk_packet p;
        int class = fwk_decode((const uint8_t *)d.buf + frame[i].offset, frame[i].captured, frame[i].wire, frame[i].link, &p);
        int bytes = class == FWK_IPV4 ? 4 : class == FWK_IPV6 ? 16 : 0;
        if (!bytes) /* there are no addresses to point at */
            p.src = p.dst = d.buf;
        PyObject *item = Py_BuildValue("(iiiy#y#iiNII)", class, p.protocol, p.fragment, (const char *)p.src,
                                       (Py_ssize_t)bytes, (const char *)p.dst, (Py_ssize_t)bytes, p.sport, p.dport,
                                       rest_of(&p, &frame[i]), frame[i].wire, class == FWK_NOT_IP ? p.what : 0);
        if (!item || PyList_SetItem(list, i, item))
            Py_CLEAR(list);
    }
    PyBuffer_Release(&f);
    PyBuffer_Release(&d);
    return list;
}

PyMethodDef fwk_captures_methods[] = {
    {"walker", walker, METH_VARARGS, "walker(pcapng, big, header, swapped, link, scale, in, out, state_in, state_out)"},
    {"walk", walk, METH_VARARGS, "walk(walker, data, at, frames) -> (reason, at, need, frames, detail, link, name, resolution, epoch)"},
    {"interface", describe_interface, METH_VARARGS, "interface(walker, in, out, name, clock), after a walk stopped for one"},
    {"named", name_interface, METH_VARARGS, "named(walker, in, out, name), after a walk stopped for a frame's own"},
    {"used", used, METH_O, "for each number of a name: 1 if packets came in there, 2 if some went out"},
    {"count", count, METH_VARARGS, "count(family4, family6, engine, data, frames, n, state, counts, recorded, kinds, indices=None) -> how many kinds"},
    {"decoded", decoded, METH_VARARGS, "decoded(data, frames, n) -> class and fields of each frame"},
    {NULL, NULL, 0, NULL},
};
