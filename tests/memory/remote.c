/* What others free in a thread's pages comes back: while it sleeps, while it works, and when it has
 * ended.
 *
 * remote (sleeper | beside | left SIZE) */
#include <pthread.h>
#include "phases.h"

static pthread_barrier_t barrier;

static void **given;
enum { GIVEN = 400000 };

static pthread_t other;

/* A thread that has made what is given, and waits. */
static void begin_other(void *(*body)(void *))
{
    given = table(GIVEN * sizeof *given, 1);
    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&other, NULL, body, NULL) == 0);
    pthread_barrier_wait(&barrier);
}

static void end_other(void)
{
    pthread_barrier_wait(&barrier);
    CHECK(pthread_join(other, NULL) == 0);
}

static void *giver(void *unused)
{
    for (int i = 0; i < GIVEN; i++) {
        given[i] = malloc(64 + i % 8 * 64);
        CHECK(given[i] != NULL);
        *(char *)given[i] = 1;
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

/* What others free in the pages of a thread that sleeps comes back. */
static void sleeper(void)
{
    begin_other(giver);
    struct HmmStatistics full = stats();
    CHECK(full.allocated > 100 * MIB);
    for (int i = 0; i < GIVEN; i++)
        free(given[(uint64_t)i * 7919 % GIVEN]);
    struct HmmStatistics s = stats();
    fprintf(stderr, "%zu MiB when full, %zu when freed\n", full.resident / MIB, s.resident / MIB);
    CHECK(s.allocated < MIB);
    CHECK(s.resident < 20 * MIB);
    end_other();
}

/* Frees one block of each page of its own, and goes on with blocks of another size, which stay. */
static void *busy(void *unused)
{
    (void)unused;
    enum { KIB_BLOCKS = 64 };
    for (int i = 0; i < GIVEN; i++) {
        given[i] = malloc(1000);
        CHECK(given[i] != NULL);
        fill(given[i], 1000, 1);
    }
    for (int i = 0; i < GIVEN; i += KIB_BLOCKS) {
        free(given[i]);
        given[i] = NULL;
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 20000; i++)
        *(char *)malloc(200) = 1;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

/* What others free in pages of a thread from which that may take blocks itself comes back when
 * it wants new memory. */
static void beside(void)
{
    begin_other(busy);
    for (int i = 0; i < GIVEN; i++)
        free(given[i]);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    struct HmmStatistics s = stats();
    fprintf(stderr, "%zu KiB resident\n", s.resident / KIB);
    CHECK(s.resident < 20 * MIB);
    end_other();
}

static size_t left_size;

static void *leaver(void *count)
{
    for (size_t i = 0; i < (size_t)count; i++) {
        given[i] = malloc(left_size);
        CHECK(given[i] != NULL);
        fill(given[i], left_size, 1);
    }
    return NULL;
}

/* What a thread left is freed by another, which allocates nothing itself. */
static void left(void)
{
    size_t count = 48 * MIB / left_size;
    given = table(count * sizeof *given, 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, leaver, (void *)count) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    for (size_t i = 0; i < count; i++)
        free(given[i]);
    struct HmmStatistics s = stats();
    fprintf(stderr, "%zu KiB resident\n", s.resident / KIB);
    CHECK(s.resident <= 16 * MIB);
}

int main(int argc, char **argv)
{
    CHECK(argc >= 2);
    if (strcmp(argv[1], "sleeper") == 0)
        sleeper();
    else if (strcmp(argv[1], "beside") == 0)
        beside();
    else {
        CHECK(argc == 3);
        left_size = strtoul(argv[2], NULL, 10);
        left();
    }
    CHECK(HmmCheck() == 0);
    return ok();
}
