/* Some 200 MB of work of all kinds, with contents checked: for processes that start in unusual
 * ways, on machines where some of what the heap would like is refused. */
#include <malloc.h>
#include <pthread.h>
#include "check.h"

static void mixed(uint64_t seed, size_t total)
{
    enum { BLOCKS = 20000 };
    char **p = calloc(BLOCKS, sizeof *p);
    size_t *size = calloc(BLOCKS, sizeof *size), live = 0;
    CHECK(p != NULL && size != NULL);
    uint64_t random = seed;
    while (live < total) {
        size_t i = next_random(&random) % BLOCKS;
        CHECK(holds(p[i], size[i], (unsigned char)i));
        live -= size[i];
        size[i] = next_random(&random) % 100 == 0 ? next_random(&random) % MIB : some_size(&random) * 4;
        CHECK((p[i] = realloc(p[i], size[i])) != NULL);
        fill(p[i], size[i], (unsigned char)i);
        live += size[i];
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK(holds(p[i], size[i], (unsigned char)i));
        free(p[i]);
    }
    free(p);
    free(size);
}

static void *thread(void *arg)
{
    mixed((uint64_t)(uintptr_t)arg, 20 * MIB);
    return NULL;
}

int main(void)
{
    mixed(1, 60 * MIB);
    pthread_t other[2];
    for (uintptr_t t = 0; t < 2; t++)
        CHECK(pthread_create(&other[t], NULL, thread, (void *)(t + 2)) == 0);
    for (int t = 0; t < 2; t++)
        CHECK(pthread_join(other[t], NULL) == 0);
    char *large[10];
    for (int i = 0; i < 10; i++) {
        CHECK((large[i] = malloc(10 * MIB)) != NULL);
        fill(large[i], 10 * MIB, (unsigned char)i);
        CHECK((large[i] = realloc(large[i], 20 * MIB)) != NULL);
        fill(large[i] + 10 * MIB, 10 * MIB, (unsigned char)i);
    }
    for (int i = 0; i < 10; i++) {
        CHECK(holds(large[i], 20 * MIB, (unsigned char)i));
        free(large[i]);
    }
    return ok();
}
