/* System calls for memory that fail at every call in turn: the program's own functions stand before
 * libc's, and refuse the calls whose numbers lie in a window. What the heap had stays, its invariants
 * hold, and it works on.
 *
 * faulty (sbrk | mmap | mprotect | madvise | mremap | all) */
#include <malloc.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "hmm.h"
#include "pool.h"

#pragma weak HmmCheck

static struct pool pool;

static const char *which;
static long calls, first = -1, last;

static int refuses(const char *name)
{
    if (which == NULL || (strcmp(which, name) != 0 && strcmp(which, "all") != 0))
        return 0;
    long call = calls++;
    if (call < first || call >= last)
        return 0;
    errno = ENOMEM;
    return 1;
}

extern void *__sbrk(intptr_t);

void *sbrk(intptr_t delta)
{
    return delta != 0 && refuses("sbrk") ? (void *)-1 : __sbrk(delta);
}

void *mmap(void *at, size_t bytes, int access, int flags, int file, off_t offset)
{
    if (refuses("mmap"))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, bytes, access, flags, file, offset);
}

int mprotect(void *at, size_t bytes, int access)
{
    return refuses("mprotect") ? -1 : (int)syscall(SYS_mprotect, at, bytes, access);
}

int madvise(void *at, size_t bytes, int advice)
{
    return refuses("madvise") ? -1 : (int)syscall(SYS_madvise, at, bytes, advice);
}

void *mremap(void *at, size_t old, size_t new, int flags, ...)
{
    if (refuses("mremap"))
        return MAP_FAILED;
    va_list rest;
    va_start(rest, flags);
    void *to = va_arg(rest, void *);
    va_end(rest);
    return (void *)syscall(SYS_mremap, at, old, new, flags, to);
}

/* Blocks that move and shrink and grow, and memory given back, over and over. */
static void scenario(void)
{
    char *large[4] = {0};
    size_t size[4] = {0};
    for (uint64_t round = 0; round < 6; round++) {
        pool_fill(&pool, pool.bytes + 12 * MIB, round);
        for (size_t i = 0; i < 4; i++) {
            size_t want = (round * 5 + i * 3) % 7 * 2 * MIB + MIB;
            errno = 0;
            char *now = realloc(large[i], want);
            CHECK(now != NULL || errno == ENOMEM);
            if (now == NULL)
                continue;
            CHECK(holds(now, want < size[i] ? want : size[i], (unsigned char)i));
            fill(now, want, (unsigned char)i);
            large[i] = now;
            size[i] = want;
        }
        char *zero = calloc(1, 5 * MIB);
        CHECK(zero == NULL || holds(zero, 5 * MIB, 0));
        if (zero != NULL)
            fill(zero, 5 * MIB, 1);
        free(zero);
        free(aligned_alloc(MIB, 100));
        if (round % 2) {
            pool_free(&pool);
            malloc_trim(0);
        }
        CHECK(HmmCheck() == 0);
    }
    for (size_t i = 0; i < 4; i++) {
        CHECK(holds(large[i], size[i], (unsigned char)i));
        free(large[i]);
    }
    pool_free(&pool);
}

/* In a child, that each begins alike. Returns how many calls there were. */
static long run(const char *what, long from, long to)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        which = what, calls = 0, first = from, last = to;
        scenario();
        first = last = -1;
        pool_fill(&pool, 30 * MIB, 9);
        CHECK(pool.bytes >= 30 * MIB);
        pool_free(&pool);
        CHECK(HmmCheck() == 0);
        CHECK(write(pipes[1], &calls, sizeof calls) == sizeof calls);
        _exit(0);
    }
    close(pipes[1]);
    long made = 0;
    CHECK(read(pipes[0], &made, sizeof made) == sizeof made);
    close(pipes[0]);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return made;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    free(malloc(1));
    long all = run(argv[1], -1, -1);
    CHECK(all > 0);
    printf("%ld calls\n", all);
    long step = all / rounds(6) + 1;
    for (long call = 0; call < all; call += step) {
        run(argv[1], call, call + 1);
        run(argv[1], call, call + 20);
    }
    return ok();
}
