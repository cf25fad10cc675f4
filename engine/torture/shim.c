/* Stands between redis-server and its disk and clock, preloaded with LD_PRELOAD: it makes syncing slow, the disk
 * full and the clock jump, and it knows how much of each file had been synced when the power was cut.
 *
 * engine/torture/shim.py shares the board below with it, through a file that both map. Every field is 8 bytes.
 * Only files whose path holds "appendonlydir" are watched. The monotonic clock stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FILES 256
#define DESCRIPTORS 65536

struct watched { uint64_t device, inode, name, synced; };

static struct board {
  /* orders */
  int64_t slow_millionths, slow_most_us; /* how many of a million syncs wait, and how long at most */
  int64_t room_bytes;                    /* what may still be written; negative: no end */
  int64_t clock_offset_us;
  /* evidence */
  uint64_t loads, syncs, slowed, refused, shifted;
  uint64_t files;
  struct watched file[FILES];
} *board;

static uint16_t watching[DESCRIPTORS]; /* 1 + the number of a descriptor's file; 0: not watched */
static uint64_t chance = 88172645463325252ull;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

#define REAL(name, type, ...) \
  static type (*name##_)(__VA_ARGS__); \
  if (!name##_) name##_ = real(#name)

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("PARVIS_SHIM");
  int descriptor = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
  if (descriptor < 0) return;
  void *mapped = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  syscall(SYS_close, descriptor);
  if (mapped == MAP_FAILED) return;
  chance ^= (uint64_t)getpid() << 20;
  board = mapped;
  board->loads++;
}

static uint64_t draw(uint64_t below) {
  chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
  return chance % below;
}

static struct watched *file_of(int descriptor) {
  int number = descriptor >= 0 && descriptor < DESCRIPTORS ? watching[descriptor] : 0;
  return board && number ? &board->file[number - 1] : NULL;
}

/* The inode of a file that is gone is soon another's: a file is itself by its name too. FNV-1a. */
static uint64_t name_of(const char *path) {
  const char *last = strrchr(path, '/');
  uint64_t hash = 14695981039346656037ull;
  for (const char *at = last ? last + 1 : path; *at; at++) hash = (hash ^ (unsigned char)*at) * 1099511628211ull;
  return hash;
}

/* A file that was open before is as synced as it was: what a killed process left unsynced still is. */
static void watch(int descriptor, const char *path) {
  struct stat now;
  if (!board || descriptor < 0 || descriptor >= DESCRIPTORS) return;
  watching[descriptor] = 0;
  if (!strstr(path, "appendonlydir") || fstat(descriptor, &now) || !S_ISREG(now.st_mode)) return;
  uint64_t number = 0, name = name_of(path);
  for (; number < board->files; number++) {
    struct watched *file = &board->file[number];
    if (file->inode == now.st_ino && file->device == now.st_dev && file->name == name) break;
  }
  if (number == FILES) return;
  struct watched *file = &board->file[number];
  if (number == board->files) {
    *file = (struct watched){now.st_dev, now.st_ino, name, now.st_size};
    board->files++;
  }
  if (file->synced > (uint64_t)now.st_size) file->synced = now.st_size;
  watching[descriptor] = number + 1;
}

static int opened(int (*how)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  int descriptor = how(path, flags, mode);
  if ((flags & O_ACCMODE) != O_RDONLY) watch(descriptor, path);
  return descriptor;
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name, int, const char *, int, ...); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return opened(name##_, path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

int close(int descriptor) {
  REAL(close, int, int);
  if (descriptor >= 0 && descriptor < DESCRIPTORS) watching[descriptor] = 0;
  return close_(descriptor);
}

/* How much of `wanted` the disk still takes: -1 when it is full. */
static ssize_t room_for(struct watched *file, size_t wanted) {
  if (!file || board->room_bytes < 0) return wanted;
  if (board->room_bytes == 0) {
    board->refused++;
    errno = ENOSPC;
    return -1;
  }
  size_t taken = wanted < (uint64_t)board->room_bytes ? wanted : (size_t)board->room_bytes;
  board->room_bytes -= taken;
  return taken;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  REAL(write, ssize_t, int, const void *, size_t);
  ssize_t room = room_for(file_of(descriptor), count);
  return room < 0 ? -1 : write_(descriptor, bytes, room);
}

static int synced(int (*how)(int), int descriptor) {
  struct watched *file = file_of(descriptor);
  if (!file) return how(descriptor);
  struct stat before;
  fstat(descriptor, &before); /* what comes while it is being synced may not be on disk */
  board->syncs++;
  if (board->slow_most_us > 0 && draw(1000000) < (uint64_t)board->slow_millionths) {
    uint64_t wait_us = draw(board->slow_most_us + 1);
    board->slowed++;
    nanosleep(&(struct timespec){wait_us / 1000000, wait_us % 1000000 * 1000}, NULL);
  }
  int failed = how(descriptor);
  if (!failed && (uint64_t)before.st_size > file->synced) file->synced = before.st_size;
  return failed;
}

int fsync(int descriptor) {
  REAL(fsync, int, int);
  return synced(fsync_, descriptor);
}

int fdatasync(int descriptor) {
  REAL(fdatasync, int, int);
  return synced(fdatasync_, descriptor);
}

int ftruncate64(int descriptor, off64_t size) {
  REAL(ftruncate64, int, int, off64_t);
  struct watched *file = file_of(descriptor);
  if (file && file->synced > (uint64_t)size) file->synced = size;
  return ftruncate64_(descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

static int64_t offset_us(void) {
  if (!board || !board->clock_offset_us) return 0;
  board->shifted++;
  return board->clock_offset_us;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*clock_gettime_)(clockid_t, struct timespec *);
  if (!clock_gettime_ && board) clock_gettime_ = real("clock_gettime");
  int failed = clock_gettime_ ? clock_gettime_(clock, now) : (int)syscall(SYS_clock_gettime, clock, now);
  if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return failed;
  int64_t offset = offset_us(), us = now->tv_nsec / 1000 + offset % 1000000 + 1000000;
  now->tv_sec += offset / 1000000 + us / 1000000 - 1;
  now->tv_nsec = us % 1000000 * 1000 + now->tv_nsec % 1000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
  *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *where) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (where) *where = exact.tv_sec;
  return exact.tv_sec;
}
