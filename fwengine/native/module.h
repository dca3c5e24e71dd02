/* What the files of the Python side share. */
#ifndef FWK_MODULE_H
#define FWK_MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "classifier.h"

/* A contiguous buffer of `items` items of `size` bytes; items < 0: any number. 0 with an exception if it is none. */
int fwk_view(PyObject *object, Py_buffer *buffer, Py_ssize_t size, Py_ssize_t items, int writable, const char *what);

/* A copy of a buffer's items, to be freed; null with an exception if there is none. */
void *fwk_copied(PyObject *object, Py_ssize_t size, Py_ssize_t *items, const char *what);

extern const char fwk_family_name[]; /* of capsules with an fwk_family */

/* The live engine of that name; -1 with an exception if there is none. */
int fwk_engine_of(const char *name);

/* The frames of a buffer, checked to lie within it; `recorded` is set if one records what was done with it. 0 with an exception
 * if they do not. */
int fwk_view_frames(PyObject *data, PyObject *frames, Py_ssize_t count, Py_buffer *d, Py_buffer *f, int *recorded);

extern PyMethodDef fwk_tables_methods[], fwk_captures_methods[], fwk_lines_methods[], fwk_flows_methods[],
    fwk_groups_methods[], fwk_kinds_methods[], fwk_logs_methods[];

#endif
