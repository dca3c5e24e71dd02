/* The Python side of rows sorted by kind of flow, and of addresses that are texts. */
#include "module.h"

#include "addresses.h"
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOL, SRC, DST, SRC6, DST6, SRC_FAMILY, DST_FAMILY, SPORT, DPORT, FLAGS, ODD, BYTES, PACKETS, START, COLUMNS };

/* sort(columns, kinds, opener, flags, since, until, exists): see kinds.h. How many rows there are of each kind. */
static PyObject *sort(PyObject *self, PyObject *args)
{
    static const Py_ssize_t size[COLUMNS] = {1, 4, 4, 16, 16, 1, 1, 2, 2, 1, 1, 8, 8, 8};
    PyObject *given, *kinds, *exists, *result = NULL;
    long long since, until;
    fwk_sorting s = {0};
    Py_buffer b[COLUMNS + 2];
    int used[COLUMNS + 2] = {0};
    const void *d[COLUMNS] = {NULL};
    Py_ssize_t rows = -1;
    size_t count[256];
    (void)self;
    if (!PyArg_ParseTuple(args, "O!OiiLLO", &PyTuple_Type, &given, &kinds, &s.opener, &s.flags, &since, &until, &exists))
        return NULL;
    if (PyTuple_Size(given) != COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "not the right number of columns");
        return NULL;
    }
    for (int k = 0; k < COLUMNS; k++) {
        PyObject *column = PyTuple_GetItem(given, k);
        if (column == Py_None && k != PROTOCOL)
            continue;
        if (!fwk_view(column, &b[k], size[k], rows, 0, "a column"))
            goto done;
        used[k] = 1;
        rows = b[PROTOCOL].len;
        d[k] = b[k].buf;
    }
    const int mixed = d[SRC_FAMILY] && d[DST_FAMILY];
    if (!d[SRC] != !d[DST] || !d[SRC6] != !d[DST6] || !d[SRC_FAMILY] != !d[DST_FAMILY] || (!d[SRC] && !d[SRC6]) ||
        mixed != (d[SRC] && d[SRC6])) {
        PyErr_SetString(PyExc_ValueError, "addresses of a family come together, and families if there are two");
        goto done;
    }
    if (!fwk_view(kinds, &b[COLUMNS], 1, rows, 1, "kinds"))
        goto done;
    used[COLUMNS] = 1;
    if (!fwk_view(exists, &b[COLUMNS + 1], 1, 256, 0, "exists"))
        goto done;
    used[COLUMNS + 1] = 1;
    s.since = since;
    s.until = until;
    s.sport = d[SPORT] != NULL;
    s.dport = d[DPORT] != NULL;
    s.exists = b[COLUMNS + 1].buf;
    const fwk_unsorted u = {d[PROTOCOL], d[FLAGS], d[ODD], d[SRC], d[DST], d[SRC6], d[DST6], d[SRC_FAMILY], d[DST_FAMILY], d[SPORT],
                            d[DPORT], d[BYTES], d[PACKETS], d[START]};
    Py_BEGIN_ALLOW_THREADS;
    fwk_sort(&s, &u, (size_t)rows, b[COLUMNS].buf, count);
    Py_END_ALLOW_THREADS;
    result = PyList_New(0);
    for (int k = 0; result && k < 256; k++) {
        PyObject *one = count[k] ? Py_BuildValue("(in)", k, (Py_ssize_t)count[k]) : NULL;
        if (count[k] && (!one || PyList_Append(result, one)))
            Py_CLEAR(result);
        Py_XDECREF(one);
    }
done:
    for (int k = 0; k < COLUMNS + 2; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
    return result;
}

static PyObject *pick(PyObject *self, PyObject *args)
{
    PyObject *kinds, *column, *result = NULL;
    int kind, size;
    Py_buffer k, c;
    (void)self;
    if (!PyArg_ParseTuple(args, "OiOi", &kinds, &kind, &column, &size))
        return NULL;
    if (size < 1 || size > 16 || kind < 0 || kind > 255) {
        PyErr_SetString(PyExc_ValueError, "a size or kind is out of range");
        return NULL;
    }
    if (!fwk_view(kinds, &k, 1, -1, 0, "kinds"))
        return NULL;
    if (fwk_view(column, &c, 1, k.len * size, 0, "a column")) {
        size_t rows = 0;
        for (Py_ssize_t n = 0; n < k.len; n++)
            rows += ((const uint8_t *)k.buf)[n] == kind;
        result = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)rows * size);
        if (result)
            fwk_pick(k.buf, (size_t)k.len, (uint8_t)kind, c.buf, (size_t)size, (uint8_t *)PyByteArray_AsString(result));
        PyBuffer_Release(&c);
    }
    PyBuffer_Release(&k);
    return result;
}

/* Texts as Arrow has them -> numbers of IPv4, sixteen bytes of IPv6, and the family of each, 0 where it is to be looked at. */
static PyObject *addresses(PyObject *self, PyObject *args)
{
    PyObject *data, *offsets, *four, *six, *family;
    Py_buffer b[5];
    int held = 0, any = 0, good = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOOO", &data, &offsets, &four, &six, &family))
        return NULL;
    if (!fwk_view(data, &b[0], 1, -1, 0, "data"))
        return NULL;
    held = 1;
    if (!fwk_view(family, &b[1], 1, -1, 1, "family"))
        goto done;
    held = 2;
    const Py_ssize_t n = b[1].len;
    if (!fwk_view(offsets, &b[2], 4, n + 1, 0, "offsets"))
        goto done;
    held = 3;
    if (!fwk_view(four, &b[3], 4, n, 1, "numbers"))
        goto done;
    held = 4;
    if (!fwk_view(six, &b[4], 16, n, 1, "addresses of IPv6"))
        goto done;
    held = 5;
    const int32_t *at = b[2].buf;
    good = at[0] >= 0;
    for (Py_ssize_t i = 0; good && i < n; i++)
        good = at[i] <= at[i + 1];
    if (!good || at[n] > b[0].len) {
        PyErr_SetString(PyExc_ValueError, "texts do not lie within the data");
        good = 0;
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *text = (const char *)b[0].buf + at[i];
        const size_t size = (size_t)(at[i + 1] - at[i]);
        const int64_t number = fwk_address4(text, size);
        uint8_t *const wide = (uint8_t *)b[4].buf + 16 * i, *const is = (uint8_t *)b[1].buf + i;
        ((uint32_t *)b[3].buf)[i] = number < 0 ? 0 : (uint32_t)number;
        *is = number >= 0 ? 4 : fwk_address6(text, size, wide) ? 6 : 0;
        if (*is != 6)
            memset(wide, 0, 16);
        any |= *is == 6 ? 2 : *is == 4 ? 1 : 4;
    }
done:
    while (held)
        PyBuffer_Release(&b[--held]);
    return good ? PyLong_FromLong(any) : NULL;
}

PyMethodDef fwk_kinds_methods[] = {
    {"sort", sort, METH_VARARGS, "sort(columns, kinds, opener, flags, since, until, exists) -> [(kind, rows)]: see kinds.h"},
    {"pick", pick, METH_VARARGS, "pick(kinds, kind, column, size): the column's items whose rows are of the kind"},
    {"addresses", addresses, METH_VARARGS, "addresses(data, offsets, numbers, wide, family) -> 1 if some are IPv4, 2: IPv6, 4: neither"},
    {NULL, NULL, 0, NULL},
};
