/* All memory, present and future, is locked: what the heap reserves but does not use must not
 * become resident for it. */
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include "pool.h"

static struct pool pool;

static void *thread(void *arg)
{
    free(malloc((size_t)(uintptr_t)arg * 1000));
    return NULL;
}

int main(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        fprintf(stderr, "mlockall needs CAP_IPC_LOCK or a larger `ulimit -l`\n");
        return 1;
    }
    size_t before = resident();
    char *p = malloc(100);
    fill(p, 100, 1);
    CHECK(resident() < before + 32 * MIB);
    for (uintptr_t t = 1; t < 5; t++) {
        pthread_t other;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, 64 * KIB);
        CHECK(pthread_create(&other, &attr, thread, (void *)t) == 0);
        CHECK(pthread_join(other, NULL) == 0);
    }
    CHECK(resident() < before + 48 * MIB);
    pool_fill(&pool, 50 * MIB, 1);
    CHECK(pool.bytes >= 50 * MIB);
    CHECK(resident() < before + 160 * MIB);
    pool_check(&pool);
    /* Growth of a large block, and memory that is given back. */
    char *large = malloc(20 * MIB);
    CHECK(large != NULL);
    fill(large, 20 * MIB, 2);
    CHECK((large = realloc(large, 60 * MIB)) != NULL && holds(large, 20 * MIB, 2));
    free(large);
    pool_free(&pool);
    malloc_trim(0);
    CHECK(resident() < before + 100 * MIB);
    char *zero = calloc(1, 30 * MIB);
    CHECK(zero != NULL && holds(zero, 30 * MIB, 0));
    free(zero);
    free(p);
    return ok();
}
