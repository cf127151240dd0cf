/* The break can not grow: a mapping lies right above it, from the start or from some moment on;
 * and later it can again.
 *
 * blocked (start | midway) */
#include <sys/mman.h>
#include "pool.h"

static struct pool pool;

static char *block_break(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *at = (char *)(((uintptr_t)sbrk(0) + page - 1) / page * page);
    char *stone = mmap(at, page, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(stone == at);
    return stone;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    char *stone = NULL;
    if (strcmp(argv[1], "start") == 0)
        stone = block_break();
    pool_fill(&pool, 20 * MIB, 1);
    if (stone == NULL)
        stone = block_break();
    pool_fill(&pool, 150 * MIB, 2);
    CHECK(pool.bytes >= 150 * MIB);
    pool_check(&pool);
    /* Blocks that grow from one place to the other. */
    char *p = malloc(100);
    fill(p, 100, 1);
    for (size_t size = 200; size <= 300 * MIB; size *= 2) {
        CHECK((p = realloc(p, size)) != NULL && holds(p, size / 2, 1));
        fill(p, size, 1);
    }
    for (size_t align = 16; align <= 1 * GIB; align *= 2) {
        char *aligned = aligned_alloc(OPAQUE(align), 1000);
        CHECK(aligned != NULL && is_aligned(aligned, align));
        fill(aligned, 1000, 2);
        free(aligned);
    }
    free(p);
    /* With all that still there, the break may grow again, by a little and then by all it likes. */
    CHECK(munmap(stone, (size_t)sysconf(_SC_PAGESIZE)) == 0);
    for (size_t gap = 128 * KIB; gap <= 32 * MIB; gap *= 4) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *at = (char *)(((uintptr_t)sbrk(0) + gap + page - 1) / page * page);
        stone = mmap(at, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(stone == at);
        pool_fill(&pool, pool.bytes + 40 * MIB, gap);
        pool_check(&pool);
        CHECK(munmap(stone, page) == 0);
    }
    CHECK(pool.bytes >= 300 * MIB);
    pool_free(&pool);
    for (uint64_t round = 0; round < 3; round++) {
        pool_fill(&pool, 100 * MIB, round);
        CHECK(pool.bytes >= 100 * MIB);
        pool_check(&pool);
        pool_free(&pool);
    }
    return ok();
}
