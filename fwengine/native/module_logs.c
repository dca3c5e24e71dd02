/* The Python side of flow logs: rows of text to columns. */
#include "module.h"

#include "logs.h"

#include <stdlib.h>
#include <string.h>

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
    }
    return 1;
}

static PyObject *rows(PyObject *self, PyObject *args)
{
    static const Py_ssize_t size[10] = {1, 1, 4, 4, 2, 2, 8, 8, 8, 8};
    PyObject *given, *layout_, *out, *result = NULL;
    const char *separator;
    Py_ssize_t separators, room = -1;
    fwk_layout layout;
    Py_buffer b[21];
    int used[21] = {0};
    long long since, until;
    fwk_odd *others = NULL;
    size_t other = 0, lines_ = 0, left_out = 0, read = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!s#iiiLLO!", &given, &PyTuple_Type, &layout_, &separator, &separators, &layout.width,
                          &layout.opener, &layout.flags, &since, &until, &PyTuple_Type, &out) ||
        !read_layout(layout_, separator, separators, &layout))
        return NULL;
    layout.since = since;
    layout.until = until;
    if (PyTuple_Size(out) != 20) {
        PyErr_SetString(PyExc_ValueError, "twenty columns are written");
        return NULL;
    }
    for (int k = 0; k < 20; k++) {
        if (!fwk_view(PyTuple_GetItem(out, k), &b[k], size[k % 10], room, 1, "a column"))
            goto done;
        used[k] = 1;
        room = b[k].len / size[k % 10];
        if ((uintptr_t)b[k].buf % (uintptr_t)size[k % 10]) {
            PyErr_SetString(PyExc_ValueError, "a column is not in place");
            goto done;
        }
    }
    if (!fwk_view(given, &b[20], 1, -1, 0, "data"))
        goto done;
    used[20] = 1;
    others = malloc(((size_t)room + 1) * sizeof *others);
    if (!others) {
        PyErr_NoMemory();
        goto done;
    }
    fwk_flow_rows side[2];
    for (int k = 0; k < 2; k++) {
        Py_buffer *c = &b[10 * k];
        side[k] = (fwk_flow_rows){c[0].buf, c[1].buf, c[2].buf, c[3].buf, c[4].buf, c[5].buf, c[6].buf, c[7].buf, c[8].buf,
                                  c[9].buf, 0};
    }
    Py_BEGIN_ALLOW_THREADS;
    read = fwk_rows(b[20].buf, (size_t)b[20].len, &layout, side, (size_t)room, others, &other, &lines_, &left_out);
    Py_END_ALLOW_THREADS;
    PyObject *list = PyList_New((Py_ssize_t)other);
    for (size_t n = 0; list && n < other; n++) {
        PyObject *one = Py_BuildValue("(nnn)", (Py_ssize_t)others[n].line, (Py_ssize_t)others[n].begin, (Py_ssize_t)others[n].end);
        if (!one || PyList_SetItem(list, (Py_ssize_t)n, one))
            Py_CLEAR(list);
    }
    if (list)
        result = Py_BuildValue("(nnnnnN)", (Py_ssize_t)read, (Py_ssize_t)lines_, (Py_ssize_t)side[0].rows,
                               (Py_ssize_t)side[1].rows, (Py_ssize_t)left_out, list);
done:
    free(others);
    for (int k = 0; k < 21; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
    return result;
}

PyMethodDef fwk_logs_methods[] = {
    {"rows", rows, METH_VARARGS, "rows(data, layout, separator, width, opener, flags, since, until, columns) -> see logs.h"},
    {NULL, NULL, 0, NULL},
};
