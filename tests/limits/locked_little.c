/* All memory is locked, and little may be: what the heap reserves counts, and leaves most of it to blocks. None of what is
 * free goes back then, which is not found out anew for each stretch of it. The program's own functions stand
 * before libc's, and count. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "check.h"

enum { BLOCKS = 1500 };

static volatile long mapped, advised;

void *mmap(void *at, size_t bytes, int access, int flags, int file, off_t offset)
{
    mapped = mapped + 1;
    return (void *)syscall(SYS_mmap, at, bytes, access, flags, file, offset);
}

int madvise(void *at, size_t bytes, int advice)
{
    advised = advised + 1;
    return (int)syscall(SYS_madvise, at, bytes, advice);
}

int main(void)
{
    struct rlimit limit = {8 * MIB, 8 * MIB};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    /* The limit is none to root. */
    if (geteuid() == 0 && setuid(65534) != 0) {
        fprintf(stderr, "skipped: root can be nobody else here\n");
        return ok();
    }
    CHECK(mlockall(MCL_FUTURE) == 0);
    /* Blocks of up to 64 KiB come and go. */
    static struct { char *p; size_t size; } block[BLOCKS];
    size_t live = 0;
    uint64_t random = 1;
    for (int i = 0; i < 40000; i++) {
        size_t k = next_random(&random) % BLOCKS, size = next_random(&random) % (2 << next_random(&random) % 16) + 1;
        if (block[k].p != NULL) {
            CHECK(holds(block[k].p, block[k].size, (unsigned char)k));
            free(block[k].p);
            live -= block[k].size;
            block[k].p = NULL;
        } else if (live + size <= 2 * MIB) {
            CHECK((block[k].p = malloc(size)) != NULL);
            fill(block[k].p, block[k].size = size, (unsigned char)k);
            live += size;
        }
    }
    mapped = advised = 0;
    for (int i = 0; i < 100; i++)
        CHECK(malloc(OPAQUE(9 * MIB)) == NULL && errno == ENOMEM);
    fprintf(stderr, "%ld mappings, %ld of advice\n", mapped, advised);
    CHECK(mapped <= 600);
    return ok();
}
