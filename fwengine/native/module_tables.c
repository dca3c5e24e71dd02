/* The Python side of the classifier: its tables, and columns through them. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

static const char *const engine_names[FWK_ENGINES] = {"portable", "avx2", "avx512"};
const char fwk_family_name[] = "fwengine.native.family";

static PyObject *engines(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyObject *names = PyList_New(0);
    for (int e = FWK_ENGINES - 1; names && e >= 0; e--)
        if (fwk_engine_live(e)) {
            PyObject *name = PyUnicode_FromString(engine_names[e]);
            if (!name || PyList_Append(names, name)) {
                Py_XDECREF(name);
                Py_CLEAR(names);
                break;
            }
            Py_DECREF(name);
        }
    PyObject *result = names ? PyList_AsTuple(names) : NULL;
    Py_XDECREF(names);
    return result;
}

static void destroy(PyObject *capsule)
{
    fwk_family_free(PyCapsule_GetPointer(capsule, fwk_family_name));
}

typedef struct {
    PyThreadState *state;
} interpreter;

/* Called without the GIL now and then: has the user interrupted? */
static int poll(void *context)
{
    interpreter *i = context;
    PyEval_RestoreThread(i->state);
    int stop = PyErr_CheckSignals();
    i->state = PyEval_SaveThread();
    return stop != 0;
}

static int read_stages(fwk_family *f, PyObject *stages)
{
    Py_ssize_t count = PyTuple_Size(stages);
    if (count < 0)
        return 0;
    if (count > FWK_STAGES) {
        PyErr_SetString(PyExc_ValueError, "too many stages");
        return 0;
    }
    for (Py_ssize_t s = 0; s < count; s++) {
        PyObject *of_value, *table;
        unsigned field, width;
        Py_ssize_t values = 0, size = 0;
        fwk_stage *stage = &f->stage[s];
        if (!PyArg_ParseTuple(PyTuple_GetItem(stages, s), "IOIO", &field, &of_value, &width, &table))
            return 0;
        f->stages = (uint32_t)s + 1; /* what is allocated from here on is freed with the family */
        stage->of_value = fwk_copied(of_value, 2, &values, "of_value");
        stage->table = stage->of_value ? fwk_copied(table, 2, &size, "table") : NULL;
        if (!stage->table)
            return 0;
        stage->field = field;
        stage->width = width;
        stage->values = (uint32_t)values;
        stage->size = (uint32_t)size;
        if (!width || size > (1 << 24) || values > FWK_VALUES || field >= FWK_STAGES) {
            PyErr_SetString(PyExc_ValueError, "a stage is out of range");
            return 0;
        }
    }
    return 1;
}

static int read_sets(fwk_sets *sets, PyObject *offset, PyObject *words, uint32_t dims)
{
    Py_ssize_t offsets = 0, count = 0;
    sets->offset = fwk_copied(offset, 4, &offsets, "offset");
    sets->words = sets->offset ? fwk_copied(words, 4, &count, "words") : NULL;
    if (!sets->words)
        return 0;
    uint32_t wide = dims == 5 ? 2 : 8;
    int good = offsets >= 1 && offsets % 5 == 1 && offsets < (1 << 30) && count < (1 << 30) && sets->offset[0] == 0;
    for (Py_ssize_t i = 1; good && i < offsets; i++) {
        uint32_t from = sets->offset[i - 1], to = sets->offset[i];
        good = from <= to && (to - from) % ((i - 1) % 5 < 2 ? wide : 2) == 0;
    }
    if (!good || sets->offset[offsets - 1] != (uint32_t)count) {
        PyErr_SetString(PyExc_ValueError, "the exact sets are out of range");
        return 0;
    }
    sets->boxes = (uint32_t)(offsets / 5);
    return 1;
}

static PyObject *family(PyObject *self, PyObject *args)
{
    PyObject *of_protocol, *stages, *lo, *hi, *rule, *box, *offset, *words, *result = NULL;
    unsigned dims, rules;
    Py_ssize_t budget;
    (void)self;
    if (!PyArg_ParseTuple(args, "IIOO!OOOOOOn", &dims, &rules, &of_protocol, &PyTuple_Type, &stages, &lo, &hi, &rule, &box,
                          &offset, &words, &budget))
        return NULL;
    if ((dims != 5 && dims != 11) || rules >= 0x80000000u || budget < 0) {
        PyErr_SetString(PyExc_ValueError, "dims, rules or budget are out of range");
        return NULL;
    }
    Py_buffer b[4];
    int held = 0;
    fwk_sets sets = {0, NULL, NULL};
    fwk_family *f = calloc(1, sizeof *f);
    if (!f)
        return PyErr_NoMemory();
    f->rules = rules;
    Py_ssize_t items = 0;
    uint16_t *first = fwk_copied(of_protocol, 2, &items, "of_protocol");
    if (!first)
        goto done;
    if (items == 768)
        memcpy(f->of_protocol, first, sizeof f->of_protocol);
    free(first);
    if (items != 768) {
        PyErr_SetString(PyExc_ValueError, "of_protocol has 768 items");
        goto done;
    }
    if (!read_stages(f, stages) || !read_sets(&sets, offset, words, dims))
        goto done;
    if (!fwk_family_valid(f)) {
        PyErr_SetString(PyExc_ValueError, "a class is out of range");
        goto done;
    }
    f->whole = 1;
    for (int p = 0; p < 256; p++)
        f->whole &= f->of_protocol[3 * p] == f->of_protocol[3 * p + 1] && f->of_protocol[3 * p] == f->of_protocol[3 * p + 2];
    if (!fwk_view(rule, &b[0], 4, -1, 0, "rule"))
        goto done;
    held = 1;
    Py_ssize_t count = b[0].len / 4;
    if (count >= (1 << 28)) {
        PyErr_SetString(PyExc_ValueError, "too many entries");
        goto done;
    }
    if (!fwk_view(box, &b[1], 4, count, 0, "box"))
        goto done;
    held = 2;
    if (!fwk_view(lo, &b[2], 4, count * (Py_ssize_t)dims, 0, "lo"))
        goto done;
    held = 3;
    if (!fwk_view(hi, &b[3], 4, count * (Py_ssize_t)dims, 0, "hi"))
        goto done;
    held = 4;
    for (Py_ssize_t i = 0; i < count; i++)
        if (((const uint32_t *)b[0].buf)[i] >= rules) {
            PyErr_SetString(PyExc_ValueError, "an entry names no rule");
            goto done;
        }
    fwk_entries e = {dims, (uint32_t)count, b[2].buf, b[3].buf, b[0].buf, b[1].buf};
    interpreter i = {PyEval_SaveThread()};
    int error = fwk_build(&e, &sets, (size_t)budget, poll, &i, &f->table);
    PyEval_RestoreThread(i.state);
    if (error == FWK_MEMORY)
        PyErr_NoMemory();
    else if (error == FWK_LARGE)
        PyErr_SetString(PyExc_OverflowError, "the table exceeds its budget");
    else if (error == FWK_INVALID)
        PyErr_SetString(PyExc_ValueError, "an entry is out of range");
    else if (error == FWK_OK)
        result = PyCapsule_New(f, fwk_family_name, destroy);
    /* FWK_INTERRUPTED: the exception is set */
done:
    while (held)
        PyBuffer_Release(&b[--held]);
    if (!result)
        fwk_family_free(f);
    free(sets.offset);
    free(sets.words);
    return result;
}

static PyObject *describe(PyObject *self, PyObject *capsule)
{
    (void)self;
    const fwk_family *f = PyCapsule_GetPointer(capsule, fwk_family_name);
    if (!f)
        return NULL;
    size_t bytes = fwk_bytes(f->table) + sizeof *f;
    Py_ssize_t nodes = 0, blocks = 0, entries = 0;
    for (uint32_t s = 0; s < f->stages; s++)
        bytes += 2 * ((size_t)f->stage[s].size + f->stage[s].values);
    for (uint32_t t = 0; t < f->table->trees; t++) {
        nodes += f->table->tree[t].nodes;
        blocks += f->table->tree[t].blocks;
        entries += f->table->tree[t].entries;
    }
    return Py_BuildValue("nnnnn", (Py_ssize_t)bytes, (Py_ssize_t)f->table->trees, entries, nodes, blocks);
}

int fwk_engine_of(const char *name)
{
    for (int e = 0; e < FWK_ENGINES; e++)
        if (!strcmp(engine_names[e], name) && fwk_engine_live(e))
            return e;
    PyErr_Format(PyExc_ValueError, "no live engine `%s`", name);
    return -1;
}

static PyObject *classify(PyObject *self, PyObject *args)
{
    PyObject *capsule, *columns, *out;
    const char *name;
    Py_ssize_t begin, end;
    (void)self;
    if (!PyArg_ParseTuple(args, "OsO!Onn", &capsule, &name, &PyTuple_Type, &columns, &out, &begin, &end))
        return NULL;
    const fwk_family *f = PyCapsule_GetPointer(capsule, fwk_family_name);
    int engine = f ? fwk_engine_of(name) : -1;
    if (engine < 0)
        return NULL;
    /* protocol, fragment, src, dst, sport, dport, then the stages' fields */
    const int v6 = f->table->dims == 11, places = 6 + FWK_STAGES;
    Py_ssize_t size[6 + FWK_STAGES] = {1, 1, v6 ? 16 : 4, v6 ? 16 : 4, 2, 2};
    Py_buffer b[7 + FWK_STAGES];
    int used[7 + FWK_STAGES] = {0};
    for (int k = 0; k < FWK_STAGES; k++)
        size[6 + k] = fwk_item[k];
    size_t stopped = 0;
    PyObject *result = NULL;
    if (PyTuple_Size(columns) != places) {
        PyErr_SetString(PyExc_ValueError, "not the right number of columns");
        return NULL;
    }
    if (!fwk_view(out, &b[places], 4, -1, 1, "out"))
        return NULL;
    used[places] = 1;
    Py_ssize_t count = b[places].len / 4;
    if (begin < 0 || begin > end || end > count) {
        PyErr_SetString(PyExc_ValueError, "begin or end is out of range");
        goto done;
    }
    const void *data[6 + FWK_STAGES] = {NULL};
    for (int k = 0; k < places; k++) {
        PyObject *column = PyTuple_GetItem(columns, k);
        if (column == Py_None)
            continue;
        if (!fwk_view(column, &b[k], size[k], count, 0, "a column"))
            goto done;
        used[k] = 1;
        data[k] = b[k].buf;
    }
    if (!data[0] || !data[2] || !data[3] || !data[4] || !data[5]) {
        PyErr_SetString(PyExc_ValueError, "protocol, addresses and ports are needed");
        goto done;
    }
    fwk_columns c = {.protocol = data[0], .fragment = data[1], .sport = data[4], .dport = data[5]};
    if (v6) {
        c.src6 = data[2];
        c.dst6 = data[3];
    } else {
        c.src = data[2];
        c.dst = data[3];
    }
    for (int k = 0; k < FWK_STAGES; k++)
        c.field[k] = data[6 + k];
    Py_BEGIN_ALLOW_THREADS;
    stopped = fwk_classify(f, fwk_engine(engine, f->table), &c, (size_t)begin, (size_t)end, b[places].buf);
    Py_END_ALLOW_THREADS;
    if (stopped < (size_t)end)
        PyErr_Format(PyExc_ValueError, "a value outside its field's domain at or behind packet %zd", (Py_ssize_t)stopped);
    else {
        result = Py_None;
        Py_INCREF(result);
    }
done:
    for (int k = 0; k <= places; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
    return result;
}

PyMethodDef fwk_tables_methods[] = {
    {"engines", engines, METH_NOARGS, "The live engines' names, the fastest first."},
    {"family", family, METH_VARARGS, "A family's classifier: see fwengine.native.encode.Encoded."},
    {"describe", describe, METH_O, "(bytes, trees, entries, nodes, blocks) of a family."},
    {"classify", classify, METH_VARARGS, "classify(family, engine, columns, out, begin, end)"},
    {NULL, NULL, 0, NULL},
};
