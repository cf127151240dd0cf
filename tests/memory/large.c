/* Large blocks and growing ones: no more memory than a best fit needs, and no page faults for what
 * the program takes again and again.
 *
 * Blocks that shrink hold no more than they need.
 *
 * large (images | buffers | vectors | swings | shrunk | zeroed | loops | march | (sawtooth | uneven) <bytes> <bytes of others>) */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "phases.h"

static size_t faults(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (size_t)usage.ru_minflt;
}

/* Blocks of `least` bytes and more are replaced at random, those of each doubling as often as others. Returns
 * the most memory that was taken beyond what was live at most. */
static size_t strewn(size_t live_blocks, size_t least, unsigned doublings, int turns, size_t *most_live)
{
    static struct block slot[128];
    size_t live = 0, most = 0;
    CHECK(live_blocks <= sizeof slot / sizeof *slot);
    for (int turn = 0; turn < turns; turn++) {
        struct block *at = &slot[next_random(&seed) % live_blocks];
        free(at->p);
        live -= at->size;
        at->size = least << next_random(&seed) % doublings;
        at->size += next_random(&seed) % at->size;
        at->p = malloc(at->size);
        CHECK(at->p != NULL);
        memset(at->p, turn, at->size);
        live += at->size;
        *most_live = max(*most_live, live);
        most = max(most, stats().resident);
    }
    fprintf(stderr, "%zu KiB for %zu\n", most / KIB, *most_live / KIB);
    return most - *most_live;
}

static void images(void)
{
    size_t live = 0, beside = strewn(128, 16 * KIB, 8, 4000, &live);
    CHECK(beside <= live / 100 * 35);
}

static void buffers(void)
{
    size_t live = 0, beside = strewn(100, 8 * KIB, 4, 30000, &live);
    CHECK(beside <= 10 * MIB);
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

/* Blocks of two pages of the heap's shrink to little more than one. */
static void shrunk(void)
{
    enum { BLOCKS = 1000, BEFORE = 131072, AFTER = 66000 };
    static char *shrinks[BLOCKS];
    size_t none = resident();
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((shrinks[i] = malloc(BEFORE)) != NULL);
        fill(shrinks[i], BEFORE, (unsigned char)i);
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((shrinks[i] = realloc(shrinks[i], AFTER)) != NULL);
        CHECK(holds(shrinks[i], AFTER, (unsigned char)i));
    }
    CHECK(resident() < none + BLOCKS * (AFTER + 4096) + 2 * MIB);
    /* Once: one that grows again and shrinks again pays no page faults each time. */
    size_t before = 0;
    for (int turn = 0; turn < 4; turn++) {
        if (turn == 1)
            before = faults();
        for (int i = 0; i < BLOCKS; i++) {
            CHECK((shrinks[i] = realloc(shrinks[i], BEFORE)) != NULL);
            CHECK(holds(shrinks[i], AFTER, (unsigned char)i));
            fill(shrinks[i], BEFORE, (unsigned char)i);
            CHECK((shrinks[i] = realloc(shrinks[i], AFTER)) != NULL);
        }
    }
    CHECK(faults() - before < BLOCKS);
    /* Others take their places, of those that the thread keeps, and shrink likewise. */
    for (int i = 0; i < BLOCKS; i++) {
        free(shrinks[i]);
        CHECK((shrinks[i] = malloc(BEFORE)) != NULL);
        fill(shrinks[i], BEFORE, (unsigned char)i);
        CHECK((shrinks[i] = realloc(shrinks[i], AFTER)) != NULL);
    }
    CHECK(resident() < none + BLOCKS * (AFTER + 4096) + 2 * MIB);
    for (int i = 0; i < BLOCKS; i++)
        free(shrinks[i]);
}

/* One block of `size` bytes comes and goes: taken at once, or zeroed, or grown by doubling, or by 64 KiB, or from half
 * its size. */
enum { TAKEN, ZEROED, DOUBLED, STEPS, HALVES, KINDS };

static void turn_of(int kind, size_t size)
{
    char *p = NULL;
    if (kind == TAKEN || kind == ZEROED) {
        CHECK((p = kind == TAKEN ? malloc(size) : calloc(1, size)) != NULL);
        CHECK(kind == TAKEN || holds(p, size, 0));
        fill(p, size, 1);
    } else if (kind == HALVES) {
        CHECK((p = malloc(size / 2)) != NULL);
        fill(p, size / 2, 1);
        CHECK((p = realloc(p, size)) != NULL);
        fill(p + size / 2, size - size / 2, 1);
        CHECK(holds(p, size, 1));
    } else {
        size_t have = 0, next = kind == DOUBLED ? 4 * KIB : 64 * KIB;
        while (have < size) {
            CHECK((p = realloc(p, next)) != NULL);
            fill(p + have, next - have, 1);
            have = next;
            next = kind == DOUBLED ? 2 * have : have + 64 * KIB;
        }
        CHECK(holds(p, have, 1));
    }
    free(p);
}

/* A zeroed block that takes an old one's place holds no more than what is touched, where that was not filled; the next but one also
 * where it was once. One that is only read holds nothing. */
static void zeroed(void)
{
    enum { BYTES = 6 * MIB, TURNS = 20, TOUCHED = 16, ONCE = 2 };
    size_t none = resident();
    char *read = calloc(1, BYTES);
    CHECK(read != NULL && holds(read, BYTES, 0));
    free(read);
    for (int turn = 0; turn <= TURNS + ONCE; turn++) {
        if (turn == TURNS + 1)
            turn_of(TAKEN, BYTES);
        unsigned char *sparse = calloc(1, BYTES);
        CHECK(sparse != NULL);
        for (size_t at = next_random(&seed) % 4096; at < BYTES; at += BYTES / TOUCHED) {
            CHECK(sparse[at] == 0);
            sparse[at] = 1;
        }
        CHECK((turn > TURNS && turn < TURNS + ONCE) || resident() < none + TOUCHED * 4096 + MIB);
        free(sparse);
    }
    /* Of ever other sizes, so that what was touched lies anywhere in the next one. */
    static unsigned char *tables[4];
    for (int turn = 0; turn < 1000; turn++) {
        unsigned char **table = &tables[next_random(&seed) % 4];
        free(*table);
        size_t bytes = 4 * MIB + next_random(&seed) % (60 * MIB);
        CHECK((*table = calloc(1, bytes)) != NULL);
        for (int i = 0; i < 2 * TOUCHED; i++) {
            size_t at = next_random(&seed) % bytes;
            CHECK((*table)[at] < 2);
            (*table)[at] = 1;
        }
        CHECK(resident() < none + 4 * MIB);
    }
}

/* Whatever the size, a loop that fills its block takes the memory once. Each in a process of its own: where its block lies in the heap
 * tells what happens to it. */
static void loops(void)
{
    enum { WARM = 12, TURNS = 12, OTHERS = 30000 };
    static const size_t sizes[] = {900000, 2000000, 4000000, 5500000, 6400000, 7400000, 9000000, 20000000};
    for (unsigned round = 0; round < 2 * KINDS * sizeof sizes / sizeof *sizes; round++) {
        size_t size = sizes[round / (2 * KINDS)];
        int kind = round / 2 % KINDS;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            for (int i = 0; round % 2 && i < OTHERS; i++)
                CHECK(malloc(1000) != NULL);
            for (int turn = 0; turn < WARM; turn++)
                turn_of(kind, size);
            size_t before = faults();
            for (int turn = 0; turn < TURNS; turn++)
                turn_of(kind, size);
            size_t now = faults() - before, pages = TURNS * size / 4096;
            if (now > pages / 20)
                fprintf(stderr, "kind %d of %zu: %zu page faults for %zu pages\n", kind, size, now, pages);
            _exit(now > pages / 20);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

/* One block at a time, of these sizes, comes, grows to twice its size, and goes: the heap's addresses do not march on. */
static void march(void)
{
    enum { TURNS = 1000 };
    static const size_t sizes[][2] = {{300000, 300000}, {500000, 500000}, {MIB, MIB}, {1500000, 1500000}, {300000, 3000000}};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t before = faults(), pages = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            size_t size = 2 * (sizes[i][0] + next_random(&seed) % (sizes[i][1] - sizes[i][0] + 1));
            turn_of(HALVES, size);
            pages += size / 4096;
        }
        size_t now = faults() - before, mapped = stats().mapped;
        fprintf(stderr, "up to %zu: %zu KiB of addresses, %zu page faults for %zu pages\n", sizes[i][1], mapped / KIB, now, pages);
        CHECK(mapped <= 32 * MIB && now <= pages / 50);
    }
}

/* Blocks of one size, most of which come and go, anywhere; to be `uneven`, now more of them and now fewer. Then others
 * do, and what was kept for those is forgotten. */
static void sawtooth(size_t size, int uneven, size_t other_size)
{
    enum { ROUNDS = 40, FIRST = 10, HIGH = 60 * MIB, LOW = 6 * MIB, OTHERS = 1200, OTHER_BYTES = 3600 * KIB };
    phases_begin();
    size_t before = 0, passed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (round == FIRST)
            before = faults();
        size_t swing = (HIGH - LOW) / (uneven ? 1 + next_random(&seed) % 4 : 1);
        grow_to(LOW + swing, size, size);
        shrink_at_random(LOW);
        if (round >= FIRST)
            passed += swing / 4096;
    }
    size_t now = faults() - before;
    fprintf(stderr, "%zu page faults for %zu pages, ", now, passed);
    CHECK(now <= passed / (uneven ? 6 : 50));
    /* Of what swings, which is up to a quarter and an eighth more than what was in use. (Where letting go was a mistake
     * lately, it takes twice as long.) */
    size_t passes = (size_t)(uneven ? 50 : 25) * (HIGH / 8 * 11);
    void *other[OTHERS];
    size_t others = OTHER_BYTES / other_size;
    for (size_t through = 0; through < passes; through += OTHER_BYTES) {
        for (size_t i = 0; i < others; i++)
            other[i] = malloc(other_size);
        for (size_t i = 0; i < others; i++)
            free(other[i]);
    }
    struct HmmStatistics end = stats();
    size_t live = live_pages() + end.metadata;
    fprintf(stderr, "%zu KiB for %zu\n", end.resident / KIB, live / KIB);
    CHECK(end.resident <= live + 8 * MIB + MIB);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 || argc == 4);
    if (argc == 4)
        sawtooth((size_t)atoi(argv[2]), strcmp(argv[1], "uneven") == 0, (size_t)atoi(argv[3]));
    else if (strcmp(argv[1], "images") == 0)
        images();
    else if (strcmp(argv[1], "buffers") == 0)
        buffers();
    else if (strcmp(argv[1], "vectors") == 0)
        vectors();
    else if (strcmp(argv[1], "shrunk") == 0)
        shrunk();
    else if (strcmp(argv[1], "zeroed") == 0)
        zeroed();
    else if (strcmp(argv[1], "loops") == 0)
        loops();
    else if (strcmp(argv[1], "march") == 0)
        march();
    else
        swings();
    CHECK(HmmCheck() == 0);
    return ok();
}
