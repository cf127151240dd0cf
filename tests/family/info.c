/* The functions that tell of the heap follow what is allocated; those that tune it answer as
 * their manual says. */
#include <limits.h>
#include <malloc.h>
#include "check.h"

/* Bytes that live blocks take, however the two figures share them. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void follows(size_t size, int count)
{
    char **p = malloc(sizeof *p * (size_t)count);
    size_t before = in_use();
    for (int i = 0; i < count; i++)
        CHECK((p[i] = malloc(size)) != NULL);
    size_t asked = size * (size_t)count, grown = in_use() - before;
    CHECK(grown >= asked);
    CHECK(grown <= asked + asked / 8 + 128 * KIB + 32 * (size_t)count);
    for (int i = 0; i < count; i++)
        free(p[i]);
    CHECK(in_use() <= before + 128 * KIB);
    free(p);
}

int main(void)
{
    follows(1, 10000);
    follows(100, 10000);
    follows(5000, 1000);
    follows(100 * KIB, 100);
    follows(10 * MIB, 10);
    /* More than an int can tell. */
    follows(5 * GIB, 1);

    enum { MANY = 20000 };
    static char *p[MANY];
    for (int i = 0; i < MANY; i++)
        fill(p[i] = malloc(1000), 1000, 1);
    struct mallinfo2 full = mallinfo2();
    struct mallinfo old = mallinfo();
    CHECK(full.uordblks + full.hblkhd >= 20000000);
    CHECK(full.arena + full.hblkhd >= full.uordblks);
    CHECK((size_t)(unsigned)old.uordblks + (unsigned)old.hblkhd >= 20000000);
    for (int i = 0; i < MANY; i += 2)
        free(p[i]);
    struct mallinfo2 half = mallinfo2();
    CHECK(half.uordblks < full.uordblks);
    CHECK(half.fordblks >= full.fordblks + 5000000);
    for (int i = 1; i < MANY; i += 2)
        free(p[i]);

    char *block = malloc(200 * MIB);
    fill(block, 200 * MIB, 1);
    size_t before = resident();
    free(block);
    int trimmed = malloc_trim(0);
    CHECK(trimmed == 0 || trimmed == 1);
    CHECK(resident() < before - 180 * MIB);
    CHECK(malloc_trim(64 * KIB) == 0 || resident() < before);

    int known[] = {M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX,
        M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST, M_ARENA_MAX};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK(mallopt(known[i], known[i] == M_PERTURB ? 0 : 64) == 1);
    int unknown[] = {0, 2, 17, 12345, -9, -12345, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CHECK(mallopt(unknown[i], 1) == 0);

    /* The options of malloc_info are none yet. */
    errno = 0;
    CHECK(malloc_info(1, stdout) != 0);
    FILE *memory = tmpfile();
    CHECK(memory != NULL && malloc_info(0, memory) == 0 && ftell(memory) > 0);
    fclose(memory);
    return ok();
}
