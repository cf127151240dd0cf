/* Ten thousand threads, one wave after the other: each frees half of what it allocates and
 * leaves the rest to others. Memory does not grow with the number of threads that were. */
#include <pthread.h>
#include "check.h"

enum { THREADS = 10000, WAVE = 8, BLOCKS = 64 };

struct left {
    char *p[BLOCKS];
    size_t size[BLOCKS];
    unsigned char with;
};

static void *live(void *arg)
{
    struct left *left = arg;
    uint64_t random = left->with;
    for (int i = 0; i < BLOCKS; i++) {
        left->size[i] = some_size(&random);
        CHECK((left->p[i] = malloc(left->size[i])) != NULL);
        fill(left->p[i], left->size[i], left->with);
    }
    for (int i = 0; i < BLOCKS; i += 2) {
        CHECK(holds(left->p[i], left->size[i], left->with));
        free(left->p[i]);
    }
    return NULL;
}

static void wave(int n, size_t stack)
{
    static struct left left[1000];
    static pthread_t thread[1000];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack);
    for (int i = 0; i < n; i++) {
        left[i].with = (unsigned char)(i + 1);
        CHECK(pthread_create(&thread[i], &attr, live, &left[i]) == 0);
    }
    for (int i = 0; i < n; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
        for (int k = 1; k < BLOCKS; k += 2) {
            CHECK(holds(left[i].p[k], left[i].size[k], left[i].with));
            free(left[i].p[k]);
        }
    }
}

int main(void)
{
    size_t early = 0;
    int threads = rounds(THREADS);
    for (int done = 0; done < threads; done += WAVE) {
        wave(WAVE, 64 * KIB);
        if (done == threads / WAVE / 10 * WAVE)
            early = resident();
    }
    CHECK(resident() < early + 16 * MIB);
    /* A thousand alive at once; and what they had comes back. */
    wave(1000, 64 * KIB);
    wave(1000, 64 * KIB);
    early = resident();
    for (int i = 0; i < 5; i++)
        wave(1000, 64 * KIB);
    /* What the waves take again each time may be kept, and that is some 60 MiB. */
    CHECK(resident() < early + 64 * MIB);
    return ok();
}
