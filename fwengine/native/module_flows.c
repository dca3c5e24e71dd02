/* The Python side of the flows of captures. */
#include "module.h"

#include "flows.h"
#include "lines.h"

#include <stdlib.h>
#include <string.h>

static const char flows_name[] = "fwengine.native.flows";

static void destroy_flows(PyObject *capsule) { fwk_flows_free(PyCapsule_GetPointer(capsule, flows_name)); }

static PyObject *flow_table(PyObject *self, PyObject *args)
{
    PyObject *has, *takes;
    unsigned most;
    unsigned long long one, other;
    Py_ssize_t rows = 0, known = 0;
    Py_buffer all;
    (void)self;
    if (!PyArg_ParseTuple(args, "IOOKK", &most, &has, &takes, &one, &other))
        return NULL;
    if (!fwk_view(takes, &all, 1, -1, 0, "takes"))
        return NULL;
    rows = all.len - FWK_CLASS_ROWS;
    PyBuffer_Release(&all);
    if (!most || most > 1u << 24 || rows < 1 || rows > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a table of flows is out of range");
        return NULL;
    }
    fwk_flows *t = fwk_flows_new(most, (uint32_t)rows);
    if (!t)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(t, flows_name, destroy_flows);
    if (!capsule) {
        fwk_flows_free(t);
        return NULL;
    }
    t->seed[0] = one;
    t->seed[1] = other;
    if ((t->has = fwk_copied(has, 1, &known, "has")) && (t->takes = fwk_copied(takes, 1, &rows, "takes"))) {
        if (known == 512)
            return capsule;
        PyErr_SetString(PyExc_ValueError, "what packets have is told of 512 protocols");
    }
    Py_DECREF(capsule);
    return NULL;
}

static PyObject *add_flows(PyObject *self, PyObject *args)
{
    PyObject *capsule, *data, *frames, *indices;
    Py_buffer d, f, x;
    Py_ssize_t n;
    int logged, good;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOnO", &capsule, &data, &frames, &n, &indices))
        return NULL;
    fwk_flows *t = PyCapsule_GetPointer(capsule, flows_name);
    if (!t || !fwk_view(indices, &x, 4, -1, 0, "indices"))
        return NULL;
    if (x.len / 4 < n || !fwk_view_frames(data, frames, n, &d, &f, &logged)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "indices are too few");
        PyBuffer_Release(&x);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    good = fwk_flows_add(t, d.buf, f.buf, (size_t)n, x.buf);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&f);
    PyBuffer_Release(&d);
    PyBuffer_Release(&x);
    PyObject *others = good ? PyList_New((Py_ssize_t)t->other_count) : PyErr_NoMemory();
    for (size_t k = 0; others && k < t->other_count; k++) {
        PyObject *one = Py_BuildValue("(II)", t->others[k].flow, t->others[k].frame);
        if (!one || PyList_SetItem(others, (Py_ssize_t)k, one)) /* which takes `one` over */
            Py_CLEAR(others);
    }
    return others;
}

static PyObject *told_flows(PyObject *self, PyObject *capsule)
{
    (void)self;
    const fwk_flows *t = PyCapsule_GetPointer(capsule, flows_name);
    PyObject *all = t ? PyList_New((Py_ssize_t)t->count) : NULL;
    for (uint32_t k = 0; all && k < t->count; k++) {
        const fwk_flow *f = &t->flow[k];
        const Py_ssize_t bytes = f->six ? 16 : 4;
        PyObject *one = Py_BuildValue("(Iy#y#iiiiiKKKKI)", f->rule, (const char *)f->src, bytes, (const char *)f->dst, bytes,
                                      f->protocol, f->has, f->dport, f->type, f->code, (unsigned long long)f->packets,
                                      (unsigned long long)f->bytes, (unsigned long long)f->first,
                                      (unsigned long long)f->last, f->clock);
        if (!one || PyList_SetItem(all, (Py_ssize_t)k, one)) /* likewise */
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *flow_sums(PyObject *self, PyObject *capsule)
{
    (void)self;
    const fwk_flows *t = PyCapsule_GetPointer(capsule, flows_name);
    return t ? Py_BuildValue("(IKK)", t->count, (unsigned long long)t->beyond, (unsigned long long)t->fieldless) : NULL;
}

PyMethodDef fwk_flows_methods[] = {
    {"flow_table", flow_table, METH_VARARGS, "flow_table(most, has, takes, seed, seed) -> an empty table: see logs.h"},
    {"add_flows", add_flows, METH_VARARGS, "add_flows(table, data, frames, n, indices) -> [(flow, frame)] of other clocks"},
    {"told_flows", told_flows, METH_O, "(rule, src, dst, protocol, has, dport, type, code, packets, bytes, first, last, clock) of each flow"},
    {"flow_sums", flow_sums, METH_O, "(flows, packets of further flows, packets without fields)"},
    {NULL, NULL, 0, NULL},
};
