/* Promises of the manuals that no other program here holds HMM to: errno over every success, blocks of
 * size 0, blocks that outlive their thread, and a pending cancellation that nothing acts upon. */
#include <malloc.h>
#include <pthread.h>
#include "check.h"

enum { KEPT = 4711, MANY = 1000 };

#define KEEPS(call) (errno = KEPT, (call), errno == KEPT)

/* POSIX lets a success change errno; HMM's do not, also when the heap grows. */
static void errno_over_successes(void)
{
    int result;
    for (size_t size = 1; size <= 64 * MIB; size = size * 5 / 2 + 1) {
        void *p[7] = {NULL};
        CHECK(KEEPS(p[0] = malloc(size)));
        CHECK(KEEPS(p[1] = calloc(size, 1)));
        CHECK(KEEPS(p[2] = aligned_alloc(64, size)));
        CHECK(KEEPS(p[3] = memalign(4096, size)));
        CHECK(KEEPS(p[4] = valloc(size)));
        CHECK(KEEPS(p[5] = pvalloc(size)));
        CHECK(KEEPS(result = posix_memalign(&p[6], 64, size)) && result == 0);
        CHECK(KEEPS(malloc_usable_size(p[0])));
        for (int i = 0; i < 7; i++) {
            CHECK(p[i] != NULL);
            CHECK(KEEPS(free(p[i])));
        }
        CHECK(KEEPS(malloc_trim(0)));
    }
    /* posix_memalign tells by its result alone. */
    void *untouched = &untouched;
    CHECK(KEEPS(result = posix_memalign(&untouched, OPAQUE((size_t)3), 8)) && result == EINVAL);
    CHECK(KEEPS(result = posix_memalign(&untouched, 64, OPAQUE((size_t)PTRDIFF_MAX))) && result == ENOMEM);
    CHECK(untouched == &untouched);
}

/* Each block of size 0 has an address of its own, and is freed like any other. */
static void many_of_size_zero(void)
{
    static void *p[MANY];
    for (int i = 0; i < MANY; i++)
        CHECK((p[i] = malloc(0)) != NULL && is_aligned(p[i], _Alignof(max_align_t)));
    for (int i = 1; i < MANY; i++)
        for (int j = 0; j < i; j++)
            CHECK(p[i] != p[j]);
    for (int i = 0; i < MANY; i++)
        CHECK((p[i] = realloc(p[i], 10)) != NULL);
    for (int i = 0; i < MANY; i++)
        free(p[i]);
}

static void *allocates(void *arg)
{
    char **p = arg;
    for (int i = 0; i < MANY; i++)
        fill(p[i] = malloc(100 + (size_t)i), 100 + (size_t)i, (unsigned char)i);
    return NULL;
}

/* A block lives until it is freed, by whatever thread, and not only as long as its own. */
static void blocks_outlive_threads(void)
{
    static char *p[4][MANY];
    for (int round = 0; round < 4; round++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, allocates, p[round]) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    for (int i = 0; i < 4 * MANY; i++) {
        char *one = p[i / MANY][i % MANY];
        CHECK(holds(one, 100 + (size_t)(i % MANY), (unsigned char)(i % MANY)));
        CHECK((one = realloc(one, 5000)) != NULL);
        CHECK(holds(one, 100 + (size_t)(i % MANY), (unsigned char)(i % MANY)));
        free(one);
    }
}

static void *cancelled(void *reached)
{
    CHECK(pthread_cancel(pthread_self()) == 0);
    for (size_t size = 1; size < 16 * MIB; size = size * 3 + 1) {
        void *p = NULL;
        CHECK((p = reallocarray(NULL, size, 2)) != NULL);
        free(p);
        CHECK(posix_memalign(&p, 64, size) == 0);
        free(p);
        free(aligned_alloc(64, size));
        free(valloc(size));
        free(pvalloc(size));
        (void)mallopt(M_TOP_PAD, 1);
        (void)mallinfo();
    }
    *(int *)reached = 1;
    pthread_testcancel();
    return NULL;
}

static void no_cancellation_points(void)
{
    pthread_t thread;
    void *end = NULL;
    int reached = 0;
    CHECK(pthread_create(&thread, NULL, cancelled, &reached) == 0);
    CHECK(pthread_join(thread, &end) == 0 && end == PTHREAD_CANCELED && reached);
}

int main(void)
{
    errno_over_successes();
    many_of_size_zero();
    blocks_outlive_threads();
    no_cancellation_points();
    return ok();
}
