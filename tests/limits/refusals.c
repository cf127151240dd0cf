/* Memory has run out, and a program asks again and again: each refusal takes a few system calls. The program's own
 * functions stand before libc's, and count. */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "check.h"

static volatile long calls;

extern void *__sbrk(intptr_t);

void *sbrk(intptr_t delta)
{
    calls = calls + (delta != 0);
    return __sbrk(delta);
}

void *mmap(void *at, size_t bytes, int access, int flags, int file, off_t offset)
{
    calls = calls + 1;
    return (void *)syscall(SYS_mmap, at, bytes, access, flags, file, offset);
}

int munmap(void *at, size_t bytes)
{
    calls = calls + 1;
    return (int)syscall(SYS_munmap, at, bytes);
}

int madvise(void *at, size_t bytes, int advice)
{
    calls = calls + 1;
    return (int)syscall(SYS_madvise, at, bytes, advice);
}

int main(void)
{
    size_t had = 0;
    for (char *p; (p = malloc(1000)) != NULL; had += 1000)
        fill(p, 1000, 1);
    CHECK(had > 75 * MIB);
    for (size_t size = 1000; size <= 100 * MIB; size *= 10) {
        calls = 0;
        for (int i = 0; i < 100; i++)
            CHECK(malloc(OPAQUE(size)) == NULL && errno == ENOMEM);
        fprintf(stderr, "%zu bytes: %ld calls for 100 refusals\n", size, calls);
        /* (Slots of up to twice the size would do for a small block: each class asks.) */
        CHECK(calls <= (size < 100000 ? 2000 : 600));
    }
    return ok();
}
