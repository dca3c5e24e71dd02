/* The Python side of flow logs: rows of text to columns. */
#include "module.h"

#include "logs.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 10

static int read_layout(PyObject *given, const char *separator, Py_ssize_t separators, fwk_layout *layout)
{
    if (PyTuple_Size(given) != FWK_AT_ROLES || separators != 1) {
        PyErr_SetString(PyExc_ValueError, "a layout has a place for each role, and a separator of one byte");
        return 0;
    }
    layout->separator = separator[0];
    for (int role = 0; role < FWK_AT_ROLES; role++) {
        long at = PyLong_AsLong(PyTuple_GetItem(given, role));
        if (at == -1 && PyErr_Occurred())
            return 0;
        if (at < -1 || at >= FWK_MOST_FIELDS || (at < 0 && (role <= FWK_AT_DST || role == FWK_AT_PROTOCOL))) {
            PyErr_SetString(PyExc_ValueError, "a column is out of range");
            return 0;
        }
        layout->at[role] = (int)at;
        if (at > layout->last)
            layout->last = (int)at;
    }
    layout->sorting.sport = layout->at[FWK_AT_SPORT] >= 0;
    layout->sorting.dport = layout->at[FWK_AT_DPORT] >= 0;
    return 1;
}

/* The columns of one kind; 0 with an exception if they are none. */
static int read_columns(PyObject *given, int six, Py_buffer *b, int *used, Py_ssize_t *room, fwk_flow_rows *o)
{
    const Py_ssize_t wide = six ? 16 : 4, size[COLUMNS] = {1, 1, wide, wide, 2, 2, 8, 8, 8, 8};
    if (!PyTuple_Check(given) || PyTuple_Size(given) != COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "ten columns are written");
        return 0;
    }
    for (int k = 0; k < COLUMNS; k++) {
        if (!fwk_view(PyTuple_GetItem(given, k), &b[k], size[k], *room, 1, "a column"))
            return 0;
        used[k] = 1;
        *room = b[k].len / size[k];
        if (size[k] == 8 && (uintptr_t)b[k].buf % 8) {
            PyErr_SetString(PyExc_ValueError, "a column is not in place");
            return 0;
        }
    }
    *o = (fwk_flow_rows){.protocol = b[0].buf, .recorded = b[1].buf, .sport = b[4].buf, .dport = b[5].buf, .bytes = b[6].buf,
                         .packets = b[7].buf, .first = b[8].buf, .last = b[9].buf};
    if (six) {
        o->src6 = b[2].buf;
        o->dst6 = b[3].buf;
    } else {
        o->src = b[2].buf;
        o->dst = b[3].buf;
    }
    return 1;
}

static PyObject *told_rows(const fwk_read *read, int wanted, const fwk_flow_rows *o, const fwk_odd *others)
{
    PyObject *list = PyList_New((Py_ssize_t)read->others), *counts = PyList_New(FWK_TURNED);
    for (size_t n = 0; list && n < read->others; n++) {
        PyObject *one = Py_BuildValue("(nnn)", (Py_ssize_t)others[n].line, (Py_ssize_t)others[n].begin, (Py_ssize_t)others[n].end);
        if (!one || PyList_SetItem(list, (Py_ssize_t)n, one))
            Py_CLEAR(list);
    }
    for (Py_ssize_t k = 0; counts && k < (Py_ssize_t)FWK_TURNED; k++) {
        PyObject *one = PyLong_FromSize_t(o[k].rows);
        if (!one || PyList_SetItem(counts, k, one))
            Py_CLEAR(counts);
    }
    if (list && counts)
        return Py_BuildValue("(nninNN)", (Py_ssize_t)read->bytes, (Py_ssize_t)read->lines, wanted, (Py_ssize_t)read->left_out, counts, list);
    Py_XDECREF(list);
    Py_XDECREF(counts);
    return NULL;
}

/* rows(data, layout, separator, width, opener, flags, since, until, exists, columns by kind, most): see logs.h. */
static PyObject *rows(PyObject *self, PyObject *args)
{
    PyObject *given, *places, *exists, *out, *result = NULL;
    const char *separator;
    Py_ssize_t separators, most, room = -1;
    fwk_layout layout = {0};
    Py_buffer b[COLUMNS * FWK_TURNED + 2];
    int used[COLUMNS * FWK_TURNED + 2] = {0}, wanted = -1;
    long long since, until;
    fwk_odd *others = NULL;
    fwk_flow_rows side[FWK_TURNED] = {{0}};
    fwk_read read;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!s#iiiLLOO!n", &given, &PyTuple_Type, &places, &separator, &separators, &layout.width,
                          &layout.sorting.opener, &layout.sorting.flags, &since, &until, &exists, &PyTuple_Type, &out, &most) ||
        !read_layout(places, separator, separators, &layout))
        return NULL;
    layout.sorting.since = since;
    layout.sorting.until = until;
    if (PyTuple_Size(out) != FWK_TURNED || most < 1) {
        PyErr_SetString(PyExc_ValueError, "columns of each kind are written, of a row at least");
        return NULL;
    }
    for (int k = 0; k < (int)FWK_TURNED; k++) {
        PyObject *columns = PyTuple_GetItem(out, k);
        if (columns != Py_None && !read_columns(columns, (k & FWK_SIX) != 0, b + COLUMNS * k, used + COLUMNS * k, &room, &side[k]))
            goto done;
    }
    const int last = COLUMNS * FWK_TURNED;
    if (room >= 0 && room < most) {
        PyErr_SetString(PyExc_ValueError, "columns have room for all rows");
        goto done;
    }
    if (!fwk_view(given, &b[last], 1, -1, 0, "data"))
        goto done;
    used[last] = 1;
    if (!fwk_view(exists, &b[last + 1], 1, 256, 0, "exists"))
        goto done;
    used[last + 1] = 1;
    layout.sorting.exists = b[last + 1].buf;
    others = malloc((size_t)most * sizeof *others);
    if (!others) {
        PyErr_NoMemory();
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS;
    wanted = fwk_rows(b[last].buf, (size_t)b[last].len, &layout, side, (size_t)most, others, &read);
    Py_END_ALLOW_THREADS;
    result = told_rows(&read, wanted, side, others);
done:
    free(others);
    for (int k = 0; k < COLUMNS * (int)FWK_TURNED + 2; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
    return result;
}

PyMethodDef fwk_logs_methods[] = {
    {"rows", rows, METH_VARARGS, "rows(data, layout, separator, width, opener, flags, since, until, exists, columns, most): see logs.h"},
    {NULL, NULL, 0, NULL},
};
