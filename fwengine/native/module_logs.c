/* The Python side of flow logs: rows of text to columns, columns to groups. */
#include "module.h"

#include "logs.h"

#include <stdlib.h>
#include <string.h>

/* A column that may be missing, of `rows` items of 4 or 8 bytes; the size of an item is told. */
static int told(PyObject *object, Py_buffer *buffer, int *used, Py_ssize_t rows, int *size, const void **data)
{
    *data = NULL;
    *size = 8;
    if (object == Py_None)
        return 1;
    if (PyObject_GetBuffer(object, buffer, PyBUF_C_CONTIGUOUS))
        return 0;
    *used = 1;
    if (buffer->len != 4 * rows && buffer->len != 8 * rows) {
        PyErr_SetString(PyExc_ValueError, "a column that is summed has 4 or 8 bytes for each row");
        return 0;
    }
    *size = buffer->len == 8 * rows ? 8 : 4;
    *data = buffer->buf;
    return 1;
}

static PyObject *groups_as_list(const fwk_groups *groups, uint32_t keys)
{
    PyObject *list = PyList_New((Py_ssize_t)groups->count);
    for (size_t n = 0; list && n < groups->count; n++) {
        const fwk_group *g = &groups->groups[n];
        const uint32_t *numbers = groups->keys + n * groups->width;
        PyObject *key = PyTuple_New((Py_ssize_t)keys), *one = NULL;
        for (uint32_t k = 0; key && k < keys; k++) {
            PyObject *value = PyLong_FromUnsignedLong(numbers[k]);
            if (!value || PyTuple_SetItem(key, (Py_ssize_t)k, value))
                Py_CLEAR(key);
        }
        if (key)
            one = Py_BuildValue("(NIKKKLL)", key, numbers[keys], (unsigned long long)g->flows, (unsigned long long)g->bytes,
                                (unsigned long long)g->packets, (long long)g->first, (long long)g->last);
        if (!one || PyList_SetItem(list, (Py_ssize_t)n, one))
            Py_CLEAR(list);
    }
    return list;
}

static const char groups_name[] = "fwengine.native.groups";

static void destroy_groups(PyObject *capsule)
{
    fwk_groups *g = PyCapsule_GetPointer(capsule, groups_name);
    if (g)
        fwk_groups_free(g);
    free(g);
}

static PyObject *groups(PyObject *self, PyObject *args)
{
    int keys;
    (void)self;
    if (!PyArg_ParseTuple(args, "i", &keys))
        return NULL;
    if (keys < 1 || keys > FWK_GROUP_KEYS) {
        PyErr_SetString(PyExc_ValueError, "too many answers, or none");
        return NULL;
    }
    fwk_groups *g = calloc(1, sizeof *g);
    if (!g || !fwk_groups_begin(g, (uint32_t)keys)) {
        if (g)
            fwk_groups_free(g);
        free(g);
        return PyErr_NoMemory();
    }
    return PyCapsule_New(g, groups_name, destroy_groups);
}

static PyObject *grouped(PyObject *self, PyObject *capsule)
{
    (void)self;
    const fwk_groups *g = PyCapsule_GetPointer(capsule, groups_name);
    return g ? groups_as_list(g, g->width - 1) : NULL;
}

/* Adds rows to groups; how many groups there are. Not to be called for one table from two threads at a time. */
static PyObject *group(PyObject *self, PyObject *args)
{
    PyObject *capsule, *answers, *column[5], *result = NULL;
    Py_buffer b[FWK_GROUP_KEYS + 5];
    int used[FWK_GROUP_KEYS + 5] = {0}, ignored, done = 0;
    const void *data;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!OOOOO", &capsule, &PyTuple_Type, &answers, &column[0], &column[1], &column[2], &column[3],
                          &column[4]))
        return NULL;
    fwk_groups *g = PyCapsule_GetPointer(capsule, groups_name);
    if (!g)
        return NULL;
    Py_ssize_t keys = PyTuple_Size(answers), rows = -1;
    if (keys != (Py_ssize_t)g->width - 1) {
        PyErr_SetString(PyExc_ValueError, "not as many answers as the groups have");
        return NULL;
    }
    fwk_told t = {.keys = (uint32_t)keys};
    for (Py_ssize_t k = 0; k < keys; k++) {
        if (!fwk_view(PyTuple_GetItem(answers, k), &b[k], 4, rows, 0, "answers"))
            goto done;
        used[k] = 1;
        rows = b[k].len / 4;
        t.answers[k] = b[k].buf;
    }
    if (column[0] != Py_None) {
        if (!fwk_view(column[0], &b[keys], 1, rows, 0, "recorded"))
            goto done;
        used[keys] = 1;
        t.recorded = b[keys].buf;
    }
    if (!told(column[1], &b[keys + 1], &used[keys + 1], rows, &t.bytes_size, &t.bytes) ||
        !told(column[2], &b[keys + 2], &used[keys + 2], rows, &t.packets_size, &t.packets))
        goto done;
    for (int k = 3; k < 5; k++) {
        if (!told(column[k], &b[keys + k], &used[keys + k], rows, &ignored, &data))
            goto done;
        if (rows && data && ignored != 8) {
            PyErr_SetString(PyExc_ValueError, "times have 8 bytes");
            goto done;
        }
        *(k == 3 ? &t.first : &t.last) = data;
    }
    Py_BEGIN_ALLOW_THREADS;
    done = fwk_group_rows(g, &t, 0, (size_t)rows);
    Py_END_ALLOW_THREADS;
    if (done)
        result = PyLong_FromSize_t(g->count);
    else
        PyErr_NoMemory();
done:
    for (Py_ssize_t k = 0; k < keys + 5; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
    return result;
}

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
    {"groups", groups, METH_VARARGS, "groups(keys): where rows are counted that so many answers tell apart"},
    {"group", group, METH_VARARGS, "group(groups, answers, recorded, bytes, packets, first, last) -> how many groups"},
    {"grouped", grouped, METH_O, "[(answers, recorded, flows, bytes, packets, first, last)] of the groups"},
    {"rows", rows, METH_VARARGS, "rows(data, layout, separator, width, opener, flags, since, until, columns) -> see logs.h"},
    {NULL, NULL, 0, NULL},
};
