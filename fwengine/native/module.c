/* The Python side: buffers in, buffers out. Every size is checked here; nothing below knows Python. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "flows.h"
#include "lines.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

static const char *const engine_names[FWK_ENGINES] = {"portable", "avx2", "avx512"};
#define VALUE(name, column, item, place) place,
static const char capsule_name[] = "fwengine.native.family";

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

/* A contiguous buffer of `items` items of `size` bytes; items < 0: any number. */
static int view(PyObject *object, Py_buffer *buffer, Py_ssize_t size, Py_ssize_t items, int writable, const char *what)
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

static void *copied(PyObject *object, Py_ssize_t size, Py_ssize_t *items, const char *what)
{
    Py_buffer b;
    if (!view(object, &b, size, -1, 0, what))
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

static void destroy(PyObject *capsule)
{
    fwk_family_free(PyCapsule_GetPointer(capsule, capsule_name));
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
        stage->of_value = copied(of_value, 2, &values, "of_value");
        stage->table = stage->of_value ? copied(table, 2, &size, "table") : NULL;
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
    sets->offset = copied(offset, 4, &offsets, "offset");
    sets->words = sets->offset ? copied(words, 4, &count, "words") : NULL;
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
    uint16_t *first = copied(of_protocol, 2, &items, "of_protocol");
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
    if (!view(rule, &b[0], 4, -1, 0, "rule"))
        goto done;
    held = 1;
    Py_ssize_t count = b[0].len / 4;
    if (count >= (1 << 28)) {
        PyErr_SetString(PyExc_ValueError, "too many entries");
        goto done;
    }
    if (!view(box, &b[1], 4, count, 0, "box"))
        goto done;
    held = 2;
    if (!view(lo, &b[2], 4, count * (Py_ssize_t)dims, 0, "lo"))
        goto done;
    held = 3;
    if (!view(hi, &b[3], 4, count * (Py_ssize_t)dims, 0, "hi"))
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
        result = PyCapsule_New(f, capsule_name, destroy);
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
    const fwk_family *f = PyCapsule_GetPointer(capsule, capsule_name);
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

static int engine_of(const char *name)
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
    const fwk_family *f = PyCapsule_GetPointer(capsule, capsule_name);
    int engine = f ? engine_of(name) : -1;
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
    if (!view(out, &b[places], 4, -1, 1, "out"))
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
        if (!view(column, &b[k], size[k], count, 0, "a column"))
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

/* --- captures --------------------------------------------------------------------------------------------------- */

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
    if (!w || !view(data, &d, 1, -1, 0, "data"))
        return NULL;
    if (!view(frames, &f, sizeof(fwk_frame), -1, 1, "frames")) {
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

/* The frames of a buffer, checked to lie within it; `recorded` is set if one records what was done with it. */
static int view_frames(PyObject *data, PyObject *frames, Py_ssize_t count, Py_buffer *d, Py_buffer *f, int *recorded)
{
    if (!view(data, d, 1, -1, 0, "data"))
        return 0;
    if (!view(frames, f, sizeof(fwk_frame), -1, 0, "frames")) {
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
    int engine = engine_of(name);
    if (engine < 0)
        return NULL;
    fwk_tally t = {.v4 = PyCapsule_GetPointer(v4, capsule_name), .state = state};
    t.v6 = t.v4 ? PyCapsule_GetPointer(v6, capsule_name) : NULL;
    if (!t.v6)
        return NULL;
    if (t.v4->table->dims != 5 || t.v6->table->dims != 11 || t.v4->rules != t.v6->rules) {
        PyErr_SetString(PyExc_ValueError, "these are not the two families of one policy");
        return NULL;
    }
    if (!view(counts, &c, 8, 2 * ((Py_ssize_t)t.v4->rules + 1 + FWK_CLASS_ROWS), 1, "counts"))
        return NULL;
    if (!view(recorded, &r, 8, 2 * ((Py_ssize_t)t.v4->rules + 1 + FWK_CLASS_ROWS), 1, "recorded")) {
        PyBuffer_Release(&c);
        return NULL;
    }
    if (!view(kinds, &k, 4, -1, 1, "kinds")) {
        PyBuffer_Release(&r);
        PyBuffer_Release(&c);
        return NULL;
    }
    if (indices != Py_None && !view(indices, &x, 4, -1, 1, "indices"))
        goto done;
    if ((uintptr_t)c.buf % 8 || (uintptr_t)r.buf % 8 || k.len / 4 < n || (x.buf && x.len / 4 < n)) {
        PyErr_SetString(PyExc_ValueError, "counts are not in place, or kinds or indices are too few");
        goto done;
    }
    int logged;
    if (!view_frames(data, frames, n, &d, &f, &logged))
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

/* --- lines -------------------------------------------------------------------------------------------------------- */

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
    w->text = copied(text, 1, &size, "text");
    uint32_t *where = w->text ? copied(at, 4, &offsets, "offsets") : NULL;
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
        (w->shown = copied(shown, 1, &rows, "shown")) && (w->has = copied(has, 1, &known, "has"))) {
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
    if (!w || !view(indices, &x, 4, -1, 0, "indices"))
        return NULL;
    if (!view(told, &c, 8, w->head.count, 1, "told")) {
        PyBuffer_Release(&x);
        return NULL;
    }
    if (x.len / 4 < n || (uintptr_t)c.buf % 8 || !view_frames(data, frames, n, &d, &f, &logged)) {
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

/* --- flows -------------------------------------------------------------------------------------------------------- */

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
    if (!view(takes, &all, 1, -1, 0, "takes"))
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
    if ((t->has = copied(has, 1, &known, "has")) && (t->takes = copied(takes, 1, &rows, "takes"))) {
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
    if (!t || !view(indices, &x, 4, -1, 0, "indices"))
        return NULL;
    if (x.len / 4 < n || !view_frames(data, frames, n, &d, &f, &logged)) {
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
    if (!view_frames(data, frames, n, &d, &f, &logged))
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

/* --- flow logs -------------------------------------------------------------------------------------------------- */

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
        if (!view(PyTuple_GetItem(answers, k), &b[k], 4, rows, 0, "answers"))
            goto done;
        used[k] = 1;
        rows = b[k].len / 4;
        t.answers[k] = b[k].buf;
    }
    if (column[0] != Py_None) {
        if (!view(column[0], &b[keys], 1, rows, 0, "recorded"))
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
        if (!view(PyTuple_GetItem(out, k), &b[k], size[k % 10], room, 1, "a column"))
            goto done;
        used[k] = 1;
        room = b[k].len / size[k % 10];
        if ((uintptr_t)b[k].buf % (uintptr_t)size[k % 10]) {
            PyErr_SetString(PyExc_ValueError, "a column is not in place");
            goto done;
        }
    }
    if (!view(given, &b[20], 1, -1, 0, "data"))
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

static PyMethodDef methods[] = {
    {"fields", fields, METH_NOARGS, "(column, bytes of an item) of each field behind a packet's class, in order."},
    {"engines", engines, METH_NOARGS, "The live engines' names, the fastest first."},
    {"family", family, METH_VARARGS, "A family's classifier: see fwengine.native.encode.Encoded."},
    {"describe", describe, METH_O, "(bytes, trees, entries, nodes, blocks) of a family."},
    {"classify", classify, METH_VARARGS, "classify(family, engine, columns, out, begin, end)"},
    {"walker", walker, METH_VARARGS, "walker(pcapng, big, header, swapped, link, scale, in, out, state_in, state_out)"},
    {"walk", walk, METH_VARARGS, "walk(walker, data, at, frames) -> (reason, at, need, frames, detail, link, name, resolution, epoch)"},
    {"interface", describe_interface, METH_VARARGS, "interface(walker, in, out, name, clock), after a walk stopped for one"},
    {"named", name_interface, METH_VARARGS, "named(walker, in, out, name), after a walk stopped for a frame's own"},
    {"used", used, METH_O, "for each number of a name: 1 if packets came in there, 2 if some went out"},
    {"count", count, METH_VARARGS, "count(family4, family6, engine, data, frames, n, state, counts, recorded, kinds, indices=None) -> how many kinds"},
    {"writer", writer, METH_VARARGS, "writer(begin, head, tail, shown, width, protocol, has, options, state, in, out): see lines.h"},
    {"lines", lines, METH_VARARGS, "lines(writer, data, frames, n, indices, number, told) -> (bytes, [(at, frame, index, what)])"},
    {"groups", groups, METH_VARARGS, "groups(keys): where rows are counted that so many answers tell apart"},
    {"group", group, METH_VARARGS, "group(groups, answers, recorded, bytes, packets, first, last) -> how many groups"},
    {"grouped", grouped, METH_O, "[(answers, recorded, flows, bytes, packets, first, last)] of the groups"},
    {"rows", rows, METH_VARARGS, "rows(data, layout, separator, width, opener, flags, since, until, columns) -> see logs.h"},
    {"flow_table", flow_table, METH_VARARGS, "flow_table(most, has, takes, seed, seed) -> an empty table: see logs.h"},
    {"add_flows", add_flows, METH_VARARGS, "add_flows(table, data, frames, n, indices) -> [(flow, frame)] of other clocks"},
    {"told_flows", told_flows, METH_O, "(rule, src, dst, protocol, has, dport, type, code, packets, bytes, first, last, clock) of each flow"},
    {"flow_sums", flow_sums, METH_O, "(flows, packets of further flows, packets without fields)"},
    {"decoded", decoded, METH_VARARGS, "decoded(data, frames, n) -> class and fields of each frame"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "The native batch classifier.", -1, methods, NULL, NULL,
                                 NULL, NULL};

/* The digest of the sources this was built of, which setup.py gives: `fwengine version --verbose` compares. */
#ifndef FWK_SOURCES
#define FWK_SOURCES
#endif
#define AS_TEXT(x) #x
#define TEXT_OF(x) AS_TEXT(x)

PyMODINIT_FUNC PyInit__native(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddStringConstant(module, "sources", TEXT_OF(FWK_SOURCES)) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
