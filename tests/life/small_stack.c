/* Threads with the smallest stack there may be: the heap's slow paths are frugal with it. */
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include "check.h"

static void *frugal(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    static __thread char *kept[64];
    for (int i = 0; i < 20000; i++) {
        char **p = &kept[next_random(&random) % 64];
        *p = realloc(*p, some_size(&random));
        CHECK(*p != NULL);
    }
    for (int i = 0; i < 64; i++)
        free(kept[i]);
    /* Fresh memory, large blocks, alignment, growth in place and by moving, and giving back. */
    char *p = malloc(1), *q;
    for (size_t size = 16; size <= 16 * MIB; size *= 4) {
        CHECK((p = realloc(p, size)) != NULL);
        fill(p, size, 1);
        CHECK((q = memalign(size, size / 2)) != NULL);
        free(q);
        CHECK((q = calloc(size, 1)) != NULL);
        free(q);
    }
    free(p);
    malloc_trim(0);
    CHECK(mallinfo2().arena < SIZE_MAX);
    return NULL;
}

int main(void)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    CHECK(pthread_attr_setstacksize(&attr, 16 * KIB) == 0);
    for (uintptr_t round = 0; round < 5; round++) {
        pthread_t thread[4];
        for (int t = 0; t < 4; t++)
            CHECK(pthread_create(&thread[t], &attr, frugal, (void *)(round * 4 + t)) == 0);
        for (int t = 0; t < 4; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
    }
    return ok();
}
