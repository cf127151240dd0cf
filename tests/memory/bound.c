/* What is free and resident stays below the bound, whatever the program did before, and the figures
 * are the kernel's.
 *
 * bound (KEEP | rule | nearly | large | once | strewn | turned | list SIZE): with a bound of so many bytes through
 * random phases, or by the rule. */
#include "phases.h"

/* Of what the kernel says the process takes up, what is not the heap's: tables of this program's
 * before all. */
static size_t others;

static size_t worst;

/* The ends of large slots, which live blocks do not use and huge pages, unless forbidden, have put memory behind: a quarter of
 * eight, at most. (How many there are depends on how long the kernel takes for one.) */
static size_t ends = 4 * MIB;

/* What a thread remembers of the blocks that it freed lately, at most. */
static size_t remembered = 4 * MIB;

static void check(size_t keep)
{
    struct HmmStatistics s = stats();
    size_t kernel = resident() - others;
    size_t off = kernel > s.resident ? kernel - s.resident : s.resident - kernel;
    CHECK(off <= s.resident / 100 + 512 * KIB);
    /* What a thread may have beside: free in its pages, and blocks that it remembers. */
    size_t of_thread = max(256 * KIB, s.active / 32) + remembered;
    size_t needed = live_pages() + s.metadata;
    size_t most = needed + keep + of_thread + ends;
    if (s.resident > needed)
        worst = max(worst, s.resident - needed);
    if (s.resident > most)
        fprintf(stderr, "%zu KiB resident, %zu needed, %zu may be kept\n", s.resident / KIB, needed / KIB, keep / KIB);
    CHECK(s.resident <= most);
    CHECK(s.allocated >= live_bytes && s.active >= s.allocated && s.held >= s.active + s.metadata);
    CHECK(s.mapped + s.metadata >= s.held && s.mapped >= s.active + s.retained);
}

static const struct {
    size_t least, most;
} mixes[] = {{16, 64}, {16, 1024}, {100, 3000}, {2000, 20000}, {1000, 300000}, {100000, 5000000}};

static void phase(void (*check_now)(void))
{
    unsigned mix = next_random(&seed) % (sizeof mixes / sizeof *mixes);
    size_t most = mix == 0 ? 30 * MIB : 150 * MIB;
    size_t target = next_random(&seed) % most;
    int way = next_random(&seed) % 2;
    for (int step = 1; step <= 4; step++) {
        size_t now = live_bytes;
        if (target > now)
            grow_to(now + (target - now) / (5 - step), mixes[mix].least, mixes[mix].most);
        else if (way == 0)
            shrink_at_random(now - (now - target) / (5 - step));
        else
            shrink_in_clusters(now - (now - target) / (5 - step));
        check_now();
    }
}

static size_t fixed;

static void check_fixed(void)
{
    check(fixed);
}

/* What the program takes again of what went back, the rule lets it keep, but only that: a swing that
 * does not come again is forgotten, by what passes and not by time. */
static void by_the_rule(void)
{
    for (unsigned mix = 1; mix < sizeof mixes / sizeof *mixes; mix++) {
        size_t before = live_bytes;
        grow_to(300 * MIB, mixes[mix].least, mixes[mix].most);
        if (mix % 2)
            shrink_at_random(20 * MIB);
        else
            shrink_in_clusters(20 * MIB);
        size_t again = mix == 1 ? 0 : (300 * MIB - before) / 4 * 5;
        check(max(max(8 * MIB, stats().active / 8), again));
        size_t stay = live_bytes;
        for (int batch = 0; mix % 2 == 0 && batch < 7000; batch++) {
            grow_to(stay + 4 * MIB, 1000, 16000);
            while (live_bytes > stay)
                drop(blocks - 1);
        }
        check(max(max(8 * MIB, stats().active / 8), mix % 2 == 0 ? 0 : again));
    }
}

/* Frees the blocks `from..to`, but one in `each`, in the order in which they came. */
static void sweep(size_t from, size_t to, size_t each)
{
    for (size_t i = from; i < to; i++)
        if (i % each != 0) {
            live_bytes -= block[i].size;
            free(block[i].p);
            block[i].p = NULL;
        }
    size_t kept = from;
    for (size_t i = from; i < blocks; i++)
        if (block[i].p != NULL)
            block[kept++] = block[i];
    blocks = kept;
}

/* Nearly every slab is emptied, but for a block now and then. */
static void nearly_all(void)
{
    grow_to(190 * MIB, 1000, 1000);
    sweep(0, blocks, 130);
    check(8 * MIB);
    shrink_at_random(0);
    HmmTrim();
}

/* Large blocks that the thread keeps and what lies free in its slabs share one bound. */
static void large_first(void)
{
    remembered = 0;
    grow_to(30 * MIB, 1000, 1000);
    for (int i = 0; i < 4; i++)
        add(1500000);
    for (int i = 0; i < 4; i++)
        drop(blocks - 1);
    for (size_t from = 0; from + 500 < blocks; from += 500 / 65 + 1) {
        sweep(from, from + 500, 65);
        check(8 * MIB);
    }
}

/* What goes back from inside slabs is not taken again by a large block. */
static void taken_once(void)
{
    grow_to(600 * MIB, 1000, 1000);
    sweep(0, blocks / 4, 65);
    add(1 * MIB);
    sweep(0, blocks - 20000, blocks);
    check(8 * MIB);
}

/* What lies strewn among live blocks and cannot go back was not put to use either. */
static void strewn(void)
{
    char *run = malloc(40 * MIB), *between = malloc(2 * MIB);
    CHECK(run != NULL && between != NULL);
    memset(run, 1, 40 * MIB);
    grow_to(300 * MIB, 1000, 1000);
    size_t small = blocks;
    for (int i = 0; i < 300; i++)
        add(1 * MIB);
    free(run);
    sweep(0, small, 2);
    void *again = malloc(1 * MIB);
    CHECK(again != NULL);
    memset(again, 1, 1 * MIB);
    while (blocks > 320)
        drop(blocks - 321);
    shrink_at_random(20 * MIB);
    check(8 * MIB);
    free(again);
    free(between);
}

/* A program that turns to other sizes does not grow beside what only its old ones could use: what is
 * taken again elsewhere is no reason to keep that. */
static void turned(void)
{
    static const size_t mix[][2] = {{16, 128}, {1024, 8192}, {64, 512}, {4096, 32768}, {32, 256}, {256, 2048}};
    size_t most = 0;
    for (int phase = 0; phase < 6; phase++) {
        grow_to(64 * MIB, mix[phase][0], mix[phase][1]);
        shrink_at_random(6 * MIB);
        most = max(most, stats().resident - live_pages());
    }
    fprintf(stderr, "%zu MiB free beside 6 of 64\n", most / MIB);
    CHECK(most <= 40 * MIB);
    shrink_at_random(0);
    HmmTrim();
}

/* Of blocks of one size that are freed in a random order, the last few set nearly all pages free. */
static void list(size_t size)
{
    remembered = 64 * size;
    grow_to(60 * MIB, size, size);
    for (size_t most = 15 * MIB; most > 30 * KIB; most = most / 4 * 3) {
        shrink_at_random(most);
        check(8 * MIB);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 + (argc > 1 && strcmp(argv[1], "list") == 0));
    phases_begin();
    if (getenv("HMM_HUGE_PAGES"))
        ends = 0;
    free(malloc(1));
    others = resident() - stats().resident;
    if (strcmp(argv[1], "rule") == 0) {
        by_the_rule();
        fixed = 320 * MIB;
    } else if (strcmp(argv[1], "nearly") == 0) {
        nearly_all();
    } else if (strcmp(argv[1], "large") == 0) {
        large_first();
    } else if (strcmp(argv[1], "once") == 0) {
        taken_once();
    } else if (strcmp(argv[1], "strewn") == 0) {
        strewn();
    } else if (strcmp(argv[1], "turned") == 0) {
        turned();
    } else if (strcmp(argv[1], "list") == 0) {
        list(strtoul(argv[2], NULL, 10));
    } else {
        fixed = strtoul(argv[1], NULL, 10);
        CHECK(HmmSetOption(HMM_OPTION_KEEP, fixed) == 0);
        for (int i = 0; i < 40; i++)
            phase(check_fixed);
    }
    shrink_at_random(0);
    check(max(fixed, 8 * MIB));
    CHECK(HmmCheck() == 0);
    fprintf(stderr, "at most %zu KiB beside what is needed\n", worst / KIB);
    return ok();
}
