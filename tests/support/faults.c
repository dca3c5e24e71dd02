/* Makes one of a process' calls to the system fail: the n-th that has to do with the files below a folder, or with standard
   output. Loaded before the C library (LD_PRELOAD); it does nothing until it is armed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define MOST 4096
static char folder[MOST], failed[32];
static int armed, count, chosen;
static unsigned char watched[MOST];

void fault_arm(const char *below, int n) {
    snprintf(folder, sizeof folder, "%s", below);
    memset(watched, 0, sizeof watched);
    watched[1] = 1;
    failed[0] = 0;
    count = 0, chosen = n, armed = 1;
}

/* How many calls there were; `name` is the one that failed. */
int fault_disarm(char *name, int size) {
    armed = 0;
    snprintf(name, size, "%s", failed);
    return count;
}

static int fails(const char *name, int error) {
    if (!armed || ++count != chosen) return 0;
    snprintf(failed, sizeof failed, "%s", name);
    errno = error;
    return 1;
}

static int ours(const char *path) {
    return armed && path && (path[0] != '/' || strncmp(path, folder, strlen(folder)) == 0);
}

static int held(int fd) { return armed && fd >= 0 && fd < MOST && watched[fd]; }

#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int opened(int fd, int mine) {
    if (fd >= 0 && fd < MOST && armed) watched[fd] = mine;
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(name); \
        va_list rest; va_start(rest, flags); mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest); \
        int mine = ours(path); \
        if (mine && fails("open", flags & O_CREAT ? ENOSPC : EIO)) return -1; \
        return opened(next(path, flags, mode), mine); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        NEXT(name); \
        va_list rest; va_start(rest, flags); mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest); \
        int mine = ours(path); \
        if (mine && fails("openat", flags & O_CREAT ? ENOSPC : EIO)) return -1; \
        return opened(next(at, path, flags, mode), mine); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t read(int fd, void *to, size_t size) {
    NEXT(read);
    return held(fd) && fails("read", EIO) ? -1 : next(fd, to, size);
}

ssize_t write(int fd, const void *from, size_t size) {
    NEXT(write);
    return held(fd) && fails("write", ENOSPC) ? -1 : next(fd, from, size);
}

int fsync(int fd) {
    NEXT(fsync);
    return held(fd) && fails("fsync", ENOSPC) ? -1 : next(fd);
}

int close(int fd) {
    NEXT(close);
    int mine = held(fd);
    if (mine) watched[fd] = 0;
    int done = next(fd);
    return mine && fails("close", EIO) ? -1 : done;
}

#define PATH(name, type, parameters, arguments) \
    type name parameters { \
        NEXT(name); \
        return ours(path) && fails(#name, EIO) ? -1 : next arguments; \
    }
PATH(stat, int, (const char *path, struct stat *out), (path, out))
PATH(stat64, int, (const char *path, struct stat64 *out), (path, out))
PATH(lstat, int, (const char *path, struct stat *out), (path, out))
PATH(lstat64, int, (const char *path, struct stat64 *out), (path, out))
PATH(fstatat, int, (int at, const char *path, struct stat *out, int flags), (at, path, out, flags))
PATH(fstatat64, int, (int at, const char *path, struct stat64 *out, int flags), (at, path, out, flags))
PATH(rename, int, (const char *path, const char *to), (path, to))
PATH(unlink, int, (const char *path), (path))
PATH(mkdir, int, (const char *path, mode_t mode), (path, mode))
PATH(chmod, int, (const char *path, mode_t mode), (path, mode))
PATH(chown, int, (const char *path, uid_t user, gid_t group), (path, user, group))
