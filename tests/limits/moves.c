/* Blocks whose pages the kernel moves (mremap), where it refuses: also half-way, and after it has unmapped the place they
 * were to go to. Contents stay, what is had is whole, and the heap goes on.
 *
 * moves (data | addresses | mappings | torn | whole | lost | alone) */
#include <malloc.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "hmm.h"
#include "mappings.h"

#pragma weak HmmCheck

/* What the functions below do, which stand before libc's. */
static int tears, unmaps, refuses_holes, refuses;
static int moves;

extern void *__sbrk(intptr_t);

void *sbrk(intptr_t delta)
{
    if (refuses && delta > 0) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return __sbrk(delta);
}

void *mmap(void *at, size_t bytes, int access, int flags, int file, off_t offset)
{
    if (refuses || (refuses_holes && at != NULL && !(flags & MAP_FIXED))) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, bytes, access, flags, file, offset);
}

/* Moves half of it, as where that is a mapping of its own and the other half cannot be moved; before it finds out, it may
 * have unmapped the next quarter's place. */
void *mremap(void *at, size_t old, size_t new, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    char *to = va_arg(rest, void *);
    va_end(rest);
    moves++;
    if (!tears)
        return (void *)syscall(SYS_mremap, at, old, new, flags, to);
    if (syscall(SYS_mremap, at, old / 2, old / 2, flags, to) == -1)
        return MAP_FAILED;
    if (unmaps)
        CHECK(munmap(to + old / 2, old / 4) == 0);
    refuses = tears > 1;
    errno = ENOMEM;
    return MAP_FAILED;
}

/* A block of 2 MiB that is full but for its last quarter, and free memory of 6 MiB, with nothing behind it, where it
 * goes when it grows: between them is a block that fits nowhere else. */
static char *block, *walls[2], *more;

static void prepare(void)
{
    block = calloc(1, 2 * MIB);
    walls[0] = malloc(2 * MIB);
    char *hole = malloc(6 * MIB);
    walls[1] = malloc(2 * MIB);
    more = malloc(30 * MIB);
    CHECK(block && walls[0] && hole && walls[1] && more);
    fill(block, MIB, 7);
    fill(block + MIB, MIB / 2, 9);
    fill(walls[0], 2 * MIB, 1);
    fill(hole, 6 * MIB, 2);
    fill(walls[1], 2 * MIB, 3);
    fill(more, 30 * MIB, 4);
    free(hole);
    malloc_trim(0);
}

/* Whether the block grew: it is right in any case. */
static int grows(size_t size)
{
    errno = 0;
    char *now = realloc(block, size);
    CHECK(now != NULL || errno == ENOMEM);
    if (now != NULL)
        block = now;
    CHECK(holds(block, MIB, 7) && holds(block + MIB, MIB / 2, 9) && holds(block + MIB + MIB / 2, MIB / 2, 0));
    if (now != NULL)
        fill(block + 2 * MIB, size - 2 * MIB, 5);
    CHECK(HmmCheck() == 0);
    return now != NULL;
}

static void finish(void)
{
    CHECK(holds(walls[0], 2 * MIB, 1) && holds(walls[1], 2 * MIB, 3) && holds(more, 30 * MIB, 4));
    CHECK(grows(6 * MIB) && grows(50 * MIB));
    for (size_t size = MIB; size < 20 * MIB; size += MIB) {
        char *p = malloc(size);
        CHECK(p != NULL);
        fill(p, size, 6);
        free(p);
    }
    free(block);
    free(walls[0]);
    free(walls[1]);
    free(more);
    malloc_trim(0);
    CHECK(HmmCheck() == 0);
}

static void limited(size_t which)
{
    struct rlimit limit, lower;
    CHECK(getrlimit((int)which, &limit) == 0);
    lower = limit;
    lower.rlim_cur = 16 * MIB;
    CHECK(setrlimit((int)which, &lower) == 0);
    CHECK(grows(4 * MIB));
    CHECK(setrlimit((int)which, &limit) == 0);
}

/* The block is 16 mappings; there are so many more to be had. */
static void few_mappings(size_t left)
{
    for (size_t at = 0; at < 2 * MIB; at += 256 * KIB)
        CHECK(madvise(block + at, 128 * KIB, MADV_DONTDUMP) == 0);
    size_t used = mappings() + left, page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(used < allowed());
    size_t pairs = (allowed() - used) / 2, bytes = (2 * pairs + 1) * page;
    char *all = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(all != MAP_FAILED);
    for (size_t i = 0; i < pairs; i++)
        CHECK(mprotect(all + (2 * i + 1) * page, page, PROT_READ) == 0);
    CHECK(grows(5 * MIB));
    CHECK(munmap(all, bytes) == 0);
}

static void passes(void (*what)(size_t), size_t argument)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prepare();
        what(argument);
        finish();
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void torn(size_t ends)
{
    tears = ends ? 2 : 1;
    int grew = grows(5 * MIB);
    CHECK(grew == !ends && moves == 1);
    tears = refuses = refuses_holes = 0;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    const char *what = argv[1];
    if (strcmp(what, "data") == 0) {
        passes(limited, RLIMIT_DATA);
    } else if (strcmp(what, "addresses") == 0) {
        passes(limited, RLIMIT_AS);
    } else if (strcmp(what, "mappings") == 0) {
        if (allowed() > 200000)
            puts("too many mappings to use up");
        else
            for (size_t left = 3; left < 21; left += 6)
                passes(few_mappings, left);
    } else {
        unmaps = strcmp(what, "whole") != 0;
        refuses_holes = strcmp(what, "lost") == 0 || strcmp(what, "alone") == 0;
        passes(torn, strcmp(what, "alone") == 0);
    }
    return ok();
}
