/* What the C and C++ programs of these suites share: checks that name their place, and bytes
 * that tell whose they are. A program that passes prints "ok" and exits with 0. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends the program with one line if `cond` does not hold. With write and _exit: the heap may
 * be what is broken. */
#define CHECK(cond) \
    do { \
        if (!(cond)) check_failed(__FILE__, __LINE__, #cond); \
    } while (0)

static inline void check_failed(const char *file, int line, const char *what)
{
    char text[400];
    int n = snprintf(text, sizeof text, "%s:%d: %s (errno %d)\n", file, line, what, errno);
    if (write(2, text, n < (int)sizeof text ? n : (int)sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

/* The same value, but the compiler no longer knows what it knew of it: headers promise that
 * what `aligned_alloc` returns is aligned, and a check of a promise is dropped. */
#define OPAQUE(x) ({ __typeof__(x) opaque_ = (x); __asm__ volatile("" : "+r"(opaque_)); opaque_; })

static inline int is_aligned(const void *p, size_t to)
{
    return (OPAQUE((uintptr_t)p) & (to - 1)) == 0;
}

/* Gives each byte of a block the same value, and tells whether each has it still. */
static inline void fill(void *p, size_t n, unsigned char with)
{
    memset(p, with, n);
}

static inline int holds(const void *p, size_t n, unsigned char with)
{
    const unsigned char *b = (const unsigned char *)p;
    return n == 0 || (b[0] == with && memcmp(b, b + 1, n - 1) == 0);
}

/* A small random generator: the same numbers in every run. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A size as programs ask for them: mostly small, now and then some hundred KiB. */
static inline size_t some_size(uint64_t *state)
{
    uint64_t r = next_random(state);
    size_t top = (size_t)16 << (r % 8 + (r / 8 % 16 == 0 ? 6 : 0) + (r / 128 % 64 == 0 ? 2 : 0));
    return 1 + (r >> 20) % top;
}

/* Resident memory in bytes, read without the heap. */
static inline size_t resident(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n > 0);
    close(fd);
    text[n] = 0;
    char *second = strchr(text, ' ');
    CHECK(second != NULL);
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* How often to do something: so often, or as many times that as HMM_ROUNDS says. */
static inline int rounds(int usual)
{
    const char *times = getenv("HMM_ROUNDS");
    return times != NULL && atoi(times) > 1 ? usual * atoi(times) : usual;
}

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static inline int ok(void)
{
    puts("ok");
    fflush(stdout);
    return 0;
}

#endif
