/* A limit on what the heap holds: exact to the page, tables included, and no obstacle once there is
 * room again.
 *
 * limit BYTES: what HMM_LIMIT was set to, or 0 to set limits by calls. */
#include "phases.h"

/* Takes what can be had in blocks of `size` bytes. */
static void exhaust(size_t limit, size_t size)
{
    for (;;) {
        errno = 0;
        unsigned char *p = malloc(size);
        if (p == NULL)
            break;
        fill(p, size, 1);
        block[blocks++] = (struct block){p, size};
        live_bytes += size;
        CHECK(blocks < MOST_BLOCKS);
    }
    CHECK(errno == ENOMEM);
    struct HmmStatistics s = stats();
    CHECK(s.held <= limit);
    CHECK(s.resident <= limit);
    /* There was no page left: at most what a block of one more page takes. */
    size_t pages = (size + 64 * KIB - 1) / (64 * KIB);
    if (size > 64 * KIB)
        CHECK(s.held + pages * 64 * KIB > limit);
    else
        CHECK(live_bytes > limit / 10 * 8);
}

static void release(void)
{
    while (blocks > 0)
        drop(next_random(&seed) % blocks);
}

static void under(size_t limit)
{
    static const size_t sizes[] = {300 * KIB, 64, 1000, 20000, 5 * MIB, 100 * KIB, 64 * KIB + 1, 200 * KIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        exhaust(limit, sizes[i]);
        release();
    }
    /* Where a large block stands, after what is free behind it went back. */
    unsigned char *first = malloc(limit / 2), *behind = malloc(limit / 8);
    CHECK(first != NULL && behind != NULL);
    fill(first, limit / 2, 3);
    free(behind);
    unsigned char *grown = realloc(first, limit / 2 + limit / 4);
    CHECK(grown != NULL && holds(grown, limit / 2, 3));
    free(grown);
    /* Where it cannot stay, its memory moves, and counts once. */
    first = malloc(limit / 8 * 5), behind = malloc(100 * KIB);
    CHECK(first != NULL && behind != NULL);
    fill(first, limit / 8 * 5, 4);
    grown = realloc(first, limit / 8 * 7);
    CHECK(grown != NULL && holds(grown, limit / 8 * 5, 4));
    CHECK(stats().held <= limit && stats().resident <= limit && HmmCheck() == 0);
    free(grown);
    free(behind);
    /* Holes everywhere: what is free in them goes back, so that something else fits. */
    exhaust(limit, 3 * MIB);
    for (size_t i = 0; i < blocks; i += 2)
        drop(i);
    size_t left = limit - stats().active - stats().metadata - MIB;
    void *large = malloc(left);
    CHECK(large != NULL);
    fill(large, left, 2);
    CHECK(stats().resident <= limit);
    free(large);
    CHECK(malloc(limit) == NULL && errno == ENOMEM);
    CHECK(calloc(1, limit) == NULL && errno == ENOMEM);
    void *p = malloc(limit / 4);
    if (p != NULL) {
        CHECK(realloc(p, limit) == NULL && errno == ENOMEM);
        free(p);
    }
    release();
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    phases_begin();
    size_t given = strtoul(argv[1], NULL, 10);
    if (given > 0) {
        under(given);
        HmmSetLimit(SIZE_MAX);
    } else {
        HmmSetLimit(64 * MIB);
        under(64 * MIB);
        CHECK(HmmSetOption(HMM_OPTION_LIMIT, 24 * MIB) == 0);
        under(24 * MIB);
        /* Lower than what is held: nothing is lost, and nothing more is given. */
        HmmSetLimit(64 * MIB);
        exhaust(64 * MIB, 200 * KIB);
        HmmSetLimit(16 * MIB);
        CHECK(malloc(200 * KIB) == NULL && errno == ENOMEM);
        release();
        add(200 * KIB);
        HmmSetLimit(SIZE_MAX);
    }
    void *much = malloc(300 * MIB);
    CHECK(much != NULL);
    fill(much, 300 * MIB, 1);
    free(much);
    CHECK(HmmSetOption(99, 1) == EINVAL);
    CHECK(HmmCheck() == 0);
    return ok();
}
