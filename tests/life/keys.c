/* Somebody makes keys for thread-specific data before the heap makes its own: so many that the
 * heap's is one whose values libc has to allocate for, or all that there are.
 *
 * keys (40 | all) */
#include <limits.h>
#include <pthread.h>
#include "check.h"
#include "hmm.h"

#pragma weak HmmStats

static pthread_key_t key[PTHREAD_KEYS_MAX];
static int keys;

static void before_all(int argc, char **argv, char **unused)
{
    (void)unused;
    int wanted = argc > 1 && strcmp(argv[1], "40") == 0 ? 40 : PTHREAD_KEYS_MAX;
    while (keys < wanted && pthread_key_create(&key[keys], free) == 0)
        keys++;
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char **, char **) = before_all;

static void *works(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    for (int k = 0; k < keys; k += 9)
        CHECK(pthread_setspecific(key[k], malloc(some_size(&random))) == 0);
    char *p[50] = {0};
    for (int i = 0; i < 500; i++) {
        size_t at = next_random(&random) % 50;
        CHECK((p[at] = realloc(p[at], some_size(&random))) != NULL);
    }
    for (int i = 0; i < 50; i++)
        free(p[i]);
    return NULL;
}

int main(void)
{
    CHECK(keys >= 40);
    for (uintptr_t i = 0; i < 300; i++) {
        pthread_t thread[2];
        for (int t = 0; t < 2; t++)
            CHECK(pthread_create(&thread[t], NULL, works, (void *)i) == 0);
        for (int t = 0; t < 2; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
    }
    /* What a thread leaves is taken over by the next. */
    HmmStatistics statistics;
    HmmStats(&statistics);
    CHECK(statistics.heaps <= 4 && statistics.mapped < 100 * MIB);
    return ok();
}
