/* Large blocks and growing ones: no more memory than a best fit needs, and no page faults for what
 * the program takes again and again.
 *
 * large (strewn | vectors | swings) */
#include <sys/resource.h>
#include "phases.h"

static size_t faults(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (size_t)usage.ru_minflt;
}

/* Blocks of 16 KiB to 4 MiB are replaced at random, the small ones as often as the large ones. */
static void strewn(void)
{
    enum { LIVE = 128 };
    static struct block slot[LIVE];
    size_t live = 0, most_live = 0, most = 0;
    for (int turn = 0; turn < 4000; turn++) {
        struct block *at = &slot[next_random(&seed) % LIVE];
        free(at->p);
        live -= at->size;
        at->size = 16 * KIB << next_random(&seed) % 8;
        at->size += next_random(&seed) % at->size;
        at->p = malloc(at->size);
        CHECK(at->p != NULL);
        memset(at->p, turn, at->size);
        live += at->size;
        most_live = max(most_live, live);
        most = max(most, stats().resident);
    }
    fprintf(stderr, "%zu MiB for %zu\n", most / MIB, most_live / MIB);
    CHECK(most <= most_live / 100 * 135);
}

/* Vectors double from 16 bytes to 256 KiB, each when its turn comes. */
static void vectors(void)
{
    enum { VECTORS = 64, LARGEST = 256 * 1024, TURNS = 200000 };
    static struct block vector[VECTORS];
    size_t before = 0, passed = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn == TURNS / 2)
            before = faults();
        struct block *at = &vector[next_random(&seed) % VECTORS];
        if (at->size == LARGEST) {
            free(at->p);
            *at = (struct block){NULL, 8};
        }
        size_t size = max(2 * at->size, 16);
        at->p = realloc(at->p, size);
        CHECK(at->p != NULL);
        memset(at->p + at->size, turn, size - at->size);
        at->size = size;
        if (turn >= TURNS / 2)
            passed += size / 4096;
    }
    size_t now = faults() - before;
    fprintf(stderr, "%zu page faults for %zu pages\n", now, passed);
    CHECK(now <= passed / 100);
}

/* Seven tenths of many small blocks come and go, neighbours together. */
static void swings(void)
{
    enum { ROUNDS = 40, LAST = 10 };
    phases_begin();
    size_t before = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS - LAST)
            before = faults();
        grow_to(100 * MIB, 16, 1000);
        shrink_in_clusters(30 * MIB);
    }
    size_t now = faults() - before, passed = LAST * 70 * MIB / 4096;
    fprintf(stderr, "%zu page faults for %zu pages\n", now, passed);
    CHECK(now <= passed / 8);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "strewn") == 0)
        strewn();
    else if (strcmp(argv[1], "vectors") == 0)
        vectors();
    else
        swings();
    CHECK(HmmCheck() == 0);
    return ok();
}
