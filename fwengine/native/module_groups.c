/* The Python side of flows that are counted in groups. */
#include "module.h"

#include "fates.h"

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

/* A sum of 128 bits. */
static PyObject *sum_of(uint64_t low, uint64_t more)
{
    PyObject *sum = PyLong_FromUnsignedLongLong(low);
    if (!sum || !more)
        return sum;
    PyObject *high = PyLong_FromUnsignedLongLong(more), *places = PyLong_FromLong(64);
    PyObject *shifted = high && places ? PyNumber_Lshift(high, places) : NULL;
    PyObject *whole = shifted ? PyNumber_Or(shifted, sum) : NULL;
    Py_XDECREF(shifted);
    Py_XDECREF(places);
    Py_XDECREF(high);
    Py_DECREF(sum);
    return whole;
}

static PyObject *groups_as_list(const fwk_groups *groups, uint32_t keys)
{
    PyObject *list = PyList_New((Py_ssize_t)groups->count);
    for (size_t n = 0; list && n < groups->count; n++) {
        const fwk_group *g = &groups->groups[n];
        const uint32_t *numbers = groups->keys + n * groups->width;
        PyObject *key = PyTuple_New((Py_ssize_t)keys), *one = NULL;
        PyObject *bytes = sum_of(g->bytes, g->more_bytes), *packets = sum_of(g->packets, g->more_packets);
        for (uint32_t k = 0; key && k < keys; k++) {
            PyObject *value = PyLong_FromUnsignedLong(numbers[k]);
            if (!value || PyTuple_SetItem(key, (Py_ssize_t)k, value))
                Py_CLEAR(key);
        }
        if (key && bytes && packets)
            one = Py_BuildValue("(OIKOOLL)", key, numbers[keys], (unsigned long long)g->flows, bytes, packets, (long long)g->first,
                                (long long)g->last);
        Py_XDECREF(packets);
        Py_XDECREF(bytes);
        Py_XDECREF(key);
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

/* The columns of what is recorded and summed, any of which may be None. The first `*used` buffers are to be released. */
static int read_told(PyObject *const column[5], Py_ssize_t rows, Py_buffer *b, int *used, fwk_told *t)
{
    int ignored;
    const void *data;
    if (column[0] != Py_None) {
        if (!fwk_view(column[0], &b[0], 1, rows, 0, "recorded"))
            return 0;
        used[0] = 1;
        t->recorded = b[0].buf;
    }
    if (!told(column[1], &b[1], &used[1], rows, &t->bytes_size, &t->bytes) ||
        !told(column[2], &b[2], &used[2], rows, &t->packets_size, &t->packets))
        return 0;
    for (int k = 3; k < 5; k++) {
        if (!told(column[k], &b[k], &used[k], rows, &ignored, &data))
            return 0;
        if (rows && data && ignored != 8) {
            PyErr_SetString(PyExc_ValueError, "times have 8 bytes");
            return 0;
        }
        *(k == 3 ? &t->first : &t->last) = data;
    }
    return 1;
}

static void release(Py_buffer *b, const int *used, int count)
{
    for (int k = 0; k < count; k++)
        if (used[k])
            PyBuffer_Release(&b[k]);
}

/* Adds rows to groups; how many groups there are. Not to be called for one table from two threads at a time. */
static PyObject *group(PyObject *self, PyObject *args)
{
    PyObject *capsule, *answers, *column[5], *result = NULL;
    Py_buffer b[FWK_GROUP_KEYS + 5];
    int used[FWK_GROUP_KEYS + 5] = {0}, done = 0;
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
    if (!read_told(column, rows, b + keys, used + keys, &t))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    done = fwk_group_rows(g, &t, 0, (size_t)rows);
    Py_END_ALLOW_THREADS;
    if (done)
        result = PyLong_FromSize_t(g->count);
    else
        PyErr_NoMemory();
done:
    release(b, used, (int)keys + 5);
    return result;
}

/* --- plans -------------------------------------------------------------------------------------------------------- */

static const char plan_name[] = "fwengine.native.plan";

static void destroy_plan(PyObject *capsule) { fwk_plan_free(PyCapsule_GetPointer(capsule, plan_name)); }

/* FWK_SPAN times a constant, in items of 1, 2 or 4 bytes. */
static void *filled(int64_t value, int size)
{
    uint8_t *room = malloc(FWK_SPAN * 4);
    for (int n = 0; room && n < FWK_SPAN; n++)
        for (int k = 0; k < size; k++) { /* in this machine's order of bytes */
            const uint16_t one = 1;
            const int place = *(const uint8_t *)&one ? k : size - 1 - k;
            room[n * size + place] = (uint8_t)(value >> 8 * k);
        }
    return room;
}

/* (reverse, sport, dport, value of each field behind the class): see fates.h. */
static int read_question(PyObject *given, fwk_question *q)
{
    long long number[3 + FWK_STAGES];
    if (PyTuple_Size(given) != 3 + FWK_STAGES) {
        PyErr_SetString(PyExc_ValueError, "a question has a number for each place");
        return 0;
    }
    for (int k = 0; k < 3 + FWK_STAGES; k++) {
        const int size = k < 3 ? 2 : fwk_item[k - 3];
        number[k] = PyLong_AsLongLong(PyTuple_GetItem(given, k));
        if (PyErr_Occurred())
            return 0;
        const int flows = k > 2 && size == 1 ? FWK_OF_CODE : FWK_ABSENT; /* types and codes have a byte */
        if (number[k] < flows || number[k] >= 1LL << 8 * size) {
            PyErr_SetString(PyExc_ValueError, "a number of a question is out of range");
            return 0;
        }
    }
    q->reverse = number[0] > 0;
    if (number[1] >= 0 && !(q->sport = filled(number[1], 2)))
        return 0;
    if (number[2] >= 0 && !(q->dport = filled(number[2], 2)))
        return 0;
    for (int s = 0; s < FWK_STAGES; s++) {
        q->value[s] = number[3 + s];
        if (q->value[s] >= 0 && !(q->room[s] = filled(q->value[s], fwk_item[s])))
            return 0;
    }
    return 1;
}

static PyObject *plan(PyObject *self, PyObject *args)
{
    PyObject *questions, *allows, *answered;
    Py_buffer b[2];
    unsigned asked, side[FWK_SIDES];
    (void)self;
    if (!PyArg_ParseTuple(args, "O!IIIOO", &PyTuple_Type, &questions, &asked, &side[0], &side[1], &allows, &answered))
        return NULL;
    const Py_ssize_t count = PyTuple_Size(questions);
    if (count < 1 || count > FWK_GROUP_KEYS || (asked | side[0] | side[1]) >> count || ((side[0] | side[1]) & ~asked)) {
        PyErr_SetString(PyExc_ValueError, "too many questions, or none");
        return NULL;
    }
    if (!fwk_view(allows, &b[0], 1, -1, 0, "allows"))
        return NULL;
    if (!fwk_view(answered, &b[1], 1, 256, 0, "answered")) {
        PyBuffer_Release(&b[0]);
        return NULL;
    }
    fwk_plan *p = b[0].len ? fwk_plan_new((uint32_t)count, (uint32_t)b[0].len - 1) : NULL;
    int good = p != NULL;
    if (p) {
        p->asked = asked;
        p->sides = side[1] ? 2 : 1;
        memcpy(p->side, side, sizeof p->side);
        for (Py_ssize_t n = 0; n < b[0].len; n++)
            p->allows[n] = ((const uint8_t *)b[0].buf)[n] != 0;
        memcpy(p->answered, b[1].buf, 256);
        for (Py_ssize_t n = 0; good && n < count; n++)
            good = read_question(PyTuple_GetItem(questions, n), &p->question[n]);
    }
    PyBuffer_Release(&b[1]);
    PyBuffer_Release(&b[0]);
    PyObject *capsule = good ? PyCapsule_New(p, plan_name, destroy_plan) : NULL;
    if (!capsule) {
        fwk_plan_free(p);
        if (!PyErr_Occurred())
            PyErr_NoMemory();
    }
    return capsule;
}

/* The columns of flows: protocol, src, dst, sport, dport, and the ICMP type and code, or twice None. */
static int read_flows(PyObject *given, int six, Py_buffer *b, int *used, fwk_flow_columns *c, Py_ssize_t *rows)
{
    static const Py_ssize_t size[7] = {1, 4, 4, 2, 2, 1, 1};
    const void *data[7] = {NULL};
    if (PyTuple_Size(given) != 7) {
        PyErr_SetString(PyExc_ValueError, "flows have seven columns");
        return 0;
    }
    for (int k = 0; k < 7; k++) {
        PyObject *column = PyTuple_GetItem(given, k);
        if (column == Py_None && k > 4)
            continue;
        if (!fwk_view(column, &b[k], six && (k == 1 || k == 2) ? 16 : size[k], *rows, 0, "a column"))
            return 0;
        used[k] = 1;
        data[k] = b[k].buf;
        *rows = b[0].len;
    }
    if (!data[5] != !data[6]) {
        PyErr_SetString(PyExc_ValueError, "a type comes with its code");
        return 0;
    }
    *c = (fwk_flow_columns){.protocol = data[0], .type = data[5], .code = data[6], .sport = data[3], .dport = data[4]};
    if (six) {
        c->src6 = data[1];
        c->dst6 = data[2];
    } else {
        c->src = data[1];
        c->dst = data[2];
    }
    return 1;
}

/* Adds flows to groups; how many groups there are. Not to be called for one table from two threads at a time. */
static PyObject *count_flows(PyObject *self, PyObject *args)
{
    PyObject *groups_, *plan_, *family, *flows, *column[5], *result = NULL;
    const char *name;
    Py_buffer b[12];
    int used[12] = {0}, done = FWK_FATES_DONE;
    Py_ssize_t rows = -1;
    fwk_flow_columns c;
    fwk_told t = {0};
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOsO!OOOOO", &groups_, &plan_, &family, &name, &PyTuple_Type, &flows, &column[0], &column[1],
                          &column[2], &column[3], &column[4]))
        return NULL;
    fwk_groups *g = PyCapsule_GetPointer(groups_, groups_name);
    const fwk_plan *p = g ? PyCapsule_GetPointer(plan_, plan_name) : NULL;
    const fwk_family *f = p ? PyCapsule_GetPointer(family, fwk_family_name) : NULL;
    const int engine = f ? fwk_engine_of(name) : -1;
    if (engine < 0)
        return NULL;
    if (p->rules != f->rules || g->width != p->questions + 1) {
        PyErr_SetString(PyExc_ValueError, "a plan of another policy, or groups of another plan");
        return NULL;
    }
    if (!read_flows(flows, f->table->dims == 11, b, used, &c, &rows) || !read_told(column, rows, b + 7, used + 7, &t))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    done = fwk_count_flows(g, p, f, fwk_engine(engine, f->table), &c, &t, 0, (size_t)rows);
    Py_END_ALLOW_THREADS;
    if (done == FWK_FATES_DONE)
        result = PyLong_FromSize_t(g->count);
    else if (done == FWK_FATES_RANGE)
        PyErr_SetString(PyExc_ValueError, "a value outside its field's domain");
    else
        PyErr_NoMemory();
done:
    release(b, used, 12);
    return result;
}

PyMethodDef fwk_groups_methods[] = {
    {"groups", groups, METH_VARARGS, "groups(keys): where rows are counted that so many answers tell apart"},
    {"group", group, METH_VARARGS, "group(groups, answers, recorded, bytes, packets, first, last) -> how many groups"},
    {"grouped", grouped, METH_O, "[(answers, recorded, flows, bytes, packets, first, last)] of the groups"},
    {"plan", plan, METH_VARARGS, "plan(questions, asked, side, other_side, allows, answered): see fates.h"},
    {"count_flows", count_flows, METH_VARARGS, "count_flows(groups, plan, family, engine, flows, recorded, bytes, packets, first, last) -> how many groups"},
    {NULL, NULL, 0, NULL},
};
