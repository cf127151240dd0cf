/* What threads leave behind, and what lies in the pages of those that sleep.
 *
 * threads (ended | idle | few | apart | bursts | pairs) */
#include <pthread.h>
#include "phases.h"

enum { IDLE = 256 };

static pthread_barrier_t barrier;

/* Takes blocks of all sizes and frees them, but for some that others free later. */
static void *work(void *arg)
{
    void **left = arg;
    uint64_t state = (uintptr_t)arg;
    void *mine[500];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 500; i++) {
            mine[i] = malloc(some_size(&state));
            CHECK(mine[i] != NULL);
            *(char *)mine[i] = 1;
        }
        for (int i = 0; i < 500; i++)
            free(mine[i]);
    }
    for (int i = 0; i < 10; i++)
        left[i] = malloc(100 + 50 * i);
    return NULL;
}

static void one_after_another(int threads)
{
    void *left[10];
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, left) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        for (int j = 0; j < 10; j++)
            free(left[j]);
    }
}

/* A thousand threads leave no more than one did. */
static void ended(void)
{
    one_after_another(1);
    size_t one = stats().resident;
    one_after_another(1000);
    struct HmmStatistics s = stats();
    fprintf(stderr, "%zu KiB after one, %zu after 1000\n", one / KIB, s.resident / KIB);
    CHECK(s.resident <= one + 2 * MIB);
    CHECK(s.heaps <= 2);
}

static void *sleeper(void *arg)
{
    work(arg);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static pthread_t thread[IDLE];

/* So many threads, which are done with what they do and wait to be woken. */
static void lull(void *(*body)(void *), void *left[IDLE][10])
{
    pthread_barrier_init(&barrier, NULL, IDLE + 1);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * KIB);
    for (int i = 0; i < IDLE; i++)
        CHECK(pthread_create(&thread[i], &attr, body, left[i]) == 0);
    pthread_barrier_wait(&barrier);
}

static void wake(void)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < IDLE; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

static void *left_by[IDLE][10];

/* Threads that sleep on what they freed hold little of it. */
static void idle(void)
{
    size_t before = stats().resident;
    lull(sleeper, left_by);
    struct HmmStatistics s = stats();
    size_t each = (s.resident - before) / IDLE;
    fprintf(stderr, "%zu KiB a thread, %zu allocated, %zu of it metadata\n", each / KIB,
        s.allocated / IDLE / KIB, s.metadata / IDLE / KIB);
    CHECK(s.resident - before <= IDLE * 256 * KIB + 8 * MIB);
    wake();
    for (int i = 0; i < IDLE; i++)
        for (int j = 0; j < 10; j++)
            free(left_by[i][j]);
}

/* Threads that need a few blocks of many sizes share the pages that those lie on. */
static void *needs_few(void *unused)
{
    for (int round = 0; round < 10; round++) {
        unsigned char *mine[60];
        for (int i = 0; i < 60; i++) {
            size_t size = 16 + (size_t)i * i * 5;
            mine[i] = malloc(size);
            CHECK(mine[i] != NULL);
            fill(mine[i], size, round);
        }
        for (int i = 0; i < 60; i++) {
            CHECK(holds(mine[i], 16 + (size_t)i * i * 5, round));
            free(mine[i]);
        }
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

static void few(void)
{
    size_t before = stats().resident;
    lull(needs_few, left_by);
    size_t each = (stats().resident - before) / IDLE;
    fprintf(stderr, "%zu KiB a thread\n", each / KIB);
    CHECK(each < 96 * KIB);
    wake();
}

/* Threads that took two blocks of each large size, all at a time, remember few of them. */
static void *takes_two_of_each(void *unused)
{
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < 50; round++)
        for (size_t step = 4 * KIB; step <= 8 * KIB; step *= 2)
            for (size_t size = 9 * step; size <= 16 * step; size += step) {
                unsigned char *one = malloc(size), *other = malloc(size);
                CHECK(one != NULL && other != NULL);
                memset(one, round, size);
                memset(other, round, size);
                __asm__ volatile("" : : "r"(one), "r"(other) : "memory");
                free(one);
                free(other);
            }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

static void pairs(void)
{
    size_t before = stats().resident;
    lull(takes_two_of_each, left_by);
    pthread_barrier_wait(&barrier);
    size_t each = (stats().resident - before) / IDLE;
    fprintf(stderr, "%zu KiB a thread\n", each / KIB);
    CHECK(each < 2000 * KIB);
    wake();
}

/* But no cache line is two threads'. */
enum { SIDE_BY_SIDE = 32, BLOCKS_EACH = 10, LINE = 64 };

static unsigned char *lies[SIDE_BY_SIDE * BLOCKS_EACH];
static size_t side_size;

static void *takes_its_part(void *arg)
{
    for (int i = 0; i < BLOCKS_EACH; i++) {
        lies[(uintptr_t)arg * BLOCKS_EACH + i] = malloc(side_size);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void apart(void)
{
    pthread_barrier_init(&barrier, NULL, SIDE_BY_SIDE);
    for (side_size = 1; side_size < 1000; side_size += side_size / 3 + 1) {
        pthread_t thread[SIDE_BY_SIDE];
        for (uintptr_t t = 0; t < SIDE_BY_SIDE; t++)
            CHECK(pthread_create(&thread[t], NULL, takes_its_part, (void *)t) == 0);
        for (int t = 0; t < SIDE_BY_SIDE; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
        for (int t = 0; t < SIDE_BY_SIDE * BLOCKS_EACH; t++)
            for (int u = 0; u < t; u++) {
                uintptr_t a = (uintptr_t)lies[t], b = (uintptr_t)lies[u];
                CHECK(t / BLOCKS_EACH == u / BLOCKS_EACH || a / LINE > (b + side_size - 1) / LINE ||
                      b / LINE > (a + side_size - 1) / LINE);
            }
        for (int t = 0; t < SIDE_BY_SIDE * BLOCKS_EACH; t++)
            free(lies[t]);
    }
}

/* What threads that sleep keep makes no room for others to keep more. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void *has_a_burst(void *arg)
{
    enum { MANY = 5000 };
    uint64_t state = (uintptr_t)arg;
    pthread_mutex_lock(&turn);
    void **mine = malloc(MANY * sizeof *mine);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY; i++) {
            size_t size = 16 + next_random(&state) % (16u << next_random(&state) % 11);
            mine[i] = malloc(size);
            CHECK(mine[i] != NULL);
            fill(mine[i], size, 1);
        }
        for (int i = 0; i < MANY; i++)
            free(mine[i]);
    }
    free(mine);
    pthread_mutex_unlock(&turn);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void bursts(void)
{
    enum { SLEEPERS = 128 };
    pthread_t thread[SLEEPERS];
    pthread_barrier_init(&barrier, NULL, SLEEPERS + 1);
    for (uintptr_t i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&thread[i], NULL, has_a_burst, (void *)i) == 0);
    pthread_barrier_wait(&barrier);
    size_t each = stats().resident / SLEEPERS;
    fprintf(stderr, "%zu KiB a thread\n", each / KIB);
    CHECK(each < 2400 * KIB);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    /* (Their last steps are made after that.) */
    for (int i = 0; i < 100 && stats().resident > 24 * MIB; i++)
        usleep(10000);
    fprintf(stderr, "%zu MiB when they have ended\n", stats().resident / MIB);
    CHECK(stats().resident <= 24 * MIB);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "ended") == 0)
        ended();
    else if (strcmp(argv[1], "idle") == 0)
        idle();
    else if (strcmp(argv[1], "few") == 0)
        few();
    else if (strcmp(argv[1], "pairs") == 0)
        pairs();
    else if (strcmp(argv[1], "apart") == 0)
        apart();
    else {
        CHECK(strcmp(argv[1], "bursts") == 0);
        bursts();
    }
    CHECK(HmmCheck() == 0);
    return ok();
}
