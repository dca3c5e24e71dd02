/* The Python side: buffers in, buffers out. Every size is checked in the files module_*.c; nothing below them knows Python. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

int fwk_view(PyObject *object, Py_buffer *buffer, Py_ssize_t size, Py_ssize_t items, int writable, const char *what)
{
    if (PyObject_GetBuffer(object, buffer, PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0)))
        return 0;
    if (buffer->len % size || (items >= 0 && buffer->len / size != items) ||
        (buffer->len && (uintptr_t)buffer->buf % (uintptr_t)(size > 4 ? 1 : size))) {
        PyErr_Format(PyExc_ValueError, "%s: %zd bytes are not %zd items of %zd bytes in place", what, buffer->len, items,
                     size);
        PyBuffer_Release(buffer);
        return 0;
    }
    return 1;
}

void *fwk_copied(PyObject *object, Py_ssize_t size, Py_ssize_t *items, const char *what)
{
    Py_buffer b;
    if (!fwk_view(object, &b, size, -1, 0, what))
        return NULL;
    void *data = malloc((size_t)b.len + 1);
    if (data) {
        memcpy(data, b.buf, (size_t)b.len);
        *items = b.len / size;
    } else
        PyErr_NoMemory();
    PyBuffer_Release(&b);
    return data;
}

#define NAMED(name, column, item, place) {column, sizeof(item)},

static PyObject *fields(PyObject *self, PyObject *unused)
{
    static const struct {
        const char *column;
        size_t bytes;
    } known[FWK_STAGES] = {FWK_FIELDS(NAMED)};
    (void)self;
    (void)unused;
    PyObject *all = PyTuple_New(FWK_STAGES);
    for (int k = 0; all && k < FWK_STAGES; k++) {
        PyObject *one = Py_BuildValue("sn", known[k].column, (Py_ssize_t)known[k].bytes);
        if (!one || PyTuple_SetItem(all, k, one))
            Py_CLEAR(all);
    }
    return all;
}

static PyMethodDef methods[] = {
    {"fields", fields, METH_NOARGS, "(column, bytes of an item) of each field behind a packet's class, in order."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef *const parts[] = {methods,           fwk_tables_methods, fwk_captures_methods,
                                     fwk_lines_methods, fwk_flows_methods,  fwk_groups_methods, fwk_kinds_methods, fwk_logs_methods};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "The native batch classifier.", -1, NULL, NULL, NULL,
                                 NULL, NULL};

/* The digest of the sources this was built of, which setup.py gives: `fwengine version --verbose` compares. */
#ifndef FWK_SOURCES
#define FWK_SOURCES
#endif
#define AS_TEXT(x) #x
#define TEXT_OF(x) AS_TEXT(x)

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (!module || PyModule_AddStringConstant(module, "sources", TEXT_OF(FWK_SOURCES)) < 0)
        goto failed;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++)
        if (PyModule_AddFunctions(module, parts[n]) < 0)
            goto failed;
    return module;
failed:
    Py_XDECREF(module);
    return NULL;
}
