/* The Python side of lines about packets. */
#include "module.h"

#include "lines.h"

#include <stdlib.h>
#include <string.h>

static const char writer_name[] = "fwengine.native.writer";

static void free_words(fwk_words *w)
{
    free((void *)w->text);
    free((void *)w->at);
}

static void destroy_writer(PyObject *capsule)
{
    fwk_writer *w = PyCapsule_GetPointer(capsule, writer_name);
    if (!w)
        return;
    free_words(&w->begin);
    free_words(&w->head);
    free_words(&w->tail);
    free_words(&w->protocol);
    for (uint32_t k = 0; k < w->options; k++)
        free_words(&w->option[k]);
    free((void *)w->shown);
    free((void *)w->has);
    free(w);
}

/* Words of (text, offsets), of which there must be `count`, or any number if that is negative. */
static int read_words(PyObject *pair, Py_ssize_t count, fwk_words *w)
{
    Py_ssize_t size = 0, offsets = 0;
    PyObject *text, *at;
    if (!PyArg_ParseTuple(pair, "OO", &text, &at))
        return 0;
    w->text = fwk_copied(text, 1, &size, "text");
    uint32_t *where = w->text ? fwk_copied(at, 4, &offsets, "offsets") : NULL;
    w->at = where;
    if (!where)
        return 0;
    int good = offsets >= 1 && offsets < (1 << 30) && size < (1 << 30) && where[0] == 0 && where[offsets - 1] == (uint32_t)size;
    w->most = 0;
    for (Py_ssize_t k = 1; good && k < offsets; k++) {
        good = where[k - 1] <= where[k];
        if (good && where[k] - where[k - 1] > w->most)
            w->most = where[k] - where[k - 1];
    }
    if (!good || (count >= 0 && offsets != count + 1)) {
        PyErr_SetString(PyExc_ValueError, "words are out of range");
        return 0;
    }
    w->count = (uint32_t)offsets - 1;
    return 1;
}

static int read_options(fwk_writer *w, PyObject *options)
{
    const Py_ssize_t count = PyTuple_Size(options);
    if (count < 0)
        return 0;
    if (count > FWK_MAX_OPTIONS) {
        PyErr_SetString(PyExc_ValueError, "too many options");
        return 0;
    }
    for (Py_ssize_t k = 0; k < count; k++) {
        unsigned field;
        PyObject *words;
        if (!PyArg_ParseTuple(PyTuple_GetItem(options, k), "IO!", &field, &PyTuple_Type, &words))
            return 0;
        w->options = (uint32_t)k + 1; /* what is allocated from here on is freed with the writer */
        w->field[k] = field;
        if (!read_words(words, -1, &w->option[k]))
            return 0;
        if (field > FWK_FRAGMENT) {
            PyErr_SetString(PyExc_ValueError, "an option is out of range");
            return 0;
        }
    }
    return 1;
}

static PyObject *writer(PyObject *self, PyObject *args)
{
    PyObject *begin, *head, *tail, *shown, *protocol, *has, *options;
    unsigned width, state, in, out;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O!O!OIO!OO!III", &PyTuple_Type, &begin, &PyTuple_Type, &head, &PyTuple_Type, &tail, &shown,
                          &width, &PyTuple_Type, &protocol, &has, &PyTuple_Type, &options, &state, &in, &out))
        return NULL;
    fwk_writer *w = calloc(1, sizeof *w);
    if (!w)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(w, writer_name, destroy_writer);
    if (!capsule) {
        free(w);
        return NULL;
    }
    Py_ssize_t rows = 0, known = 0;
    w->width = width;
    w->state = state;
    w->in = in;
    w->out = out;
    if (read_words(begin, 1, &w->begin) && read_words(head, -1, &w->head) && read_words(tail, w->head.count, &w->tail) &&
        read_words(protocol, 256, &w->protocol) && read_options(w, options) &&
        (w->shown = fwk_copied(shown, 1, &rows, "shown")) && (w->has = fwk_copied(has, 1, &known, "has"))) {
        if (rows == (Py_ssize_t)w->head.count && known == 512 && width <= 20)
            return capsule;
        PyErr_SetString(PyExc_ValueError, "a writer's words are not of one policy");
    }
    Py_DECREF(capsule);
    return NULL;
}

static PyObject *lines(PyObject *self, PyObject *args)
{
    PyObject *capsule, *data, *frames, *indices, *told, *result = NULL;
    Py_buffer d, f, x, c;
    Py_ssize_t n;
    unsigned long long number;
    int logged, good;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOnOKO", &capsule, &data, &frames, &n, &indices, &number, &told))
        return NULL;
    const fwk_writer *w = PyCapsule_GetPointer(capsule, writer_name);
    if (!w || !fwk_view(indices, &x, 4, -1, 0, "indices"))
        return NULL;
    if (!fwk_view(told, &c, 8, w->head.count, 1, "told")) {
        PyBuffer_Release(&x);
        return NULL;
    }
    if (x.len / 4 < n || (uintptr_t)c.buf % 8 || !fwk_view_frames(data, frames, n, &d, &f, &logged)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "indices are too few, or counts are not in place");
        goto done;
    }
    fwk_text t = {0};
    Py_BEGIN_ALLOW_THREADS;
    good = fwk_lines(w, d.buf, f.buf, (size_t)n, x.buf, number, c.buf, &t);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&f);
    PyBuffer_Release(&d);
    PyObject *others = good ? PyList_New((Py_ssize_t)t.count) : PyErr_NoMemory();
    for (size_t k = 0; others && k < t.count; k++) {
        const fwk_other *o = &t.others[k];
        PyObject *one = Py_BuildValue("(nIII)", (Py_ssize_t)o->at, o->frame, o->index, o->what);
        if (!one || PyList_SetItem(others, (Py_ssize_t)k, one)) /* which takes `one` over */
            Py_CLEAR(others);
    }
    if (others)
        result = Py_BuildValue("(y#N)", t.text ? (const char *)t.text : "", (Py_ssize_t)t.size, others);
    free(t.text);
    free(t.others);
done:
    PyBuffer_Release(&c);
    PyBuffer_Release(&x);
    return result;
}

PyMethodDef fwk_lines_methods[] = {
    {"writer", writer, METH_VARARGS, "writer(begin, head, tail, shown, width, protocol, has, options, state, in, out): see lines.h"},
    {"lines", lines, METH_VARARGS, "lines(writer, data, frames, n, indices, number, told) -> (bytes, [(at, frame, index, what)])"},
    {NULL, NULL, 0, NULL},
};
