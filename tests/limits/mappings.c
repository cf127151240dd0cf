/* Mappings are counted (vm.max_map_count), and the heap takes care not to use them up: blocks that
 * grow by moving their pages, over and over; and it goes on when the program has used all of them up.
 *
 * mappings (ours | theirs) */
#include <malloc.h>
#include <sys/mman.h>
#include "mappings.h"
#include "pool.h"

static struct pool pool;

static void ours(size_t most)
{
    enum { BLOCKS = 30000 };
    static char *p[BLOCKS];
    static size_t size[BLOCKS];
    uint64_t random = 1;
    for (int i = 0; i < rounds(3 * BLOCKS); i++) {
        size_t at = next_random(&random) % BLOCKS;
        size_t n = size[at] > MIB ? 600 * KIB : size[at] + 600 * KIB;
        CHECK((p[at] = realloc(p[at], n)) != NULL);
        CHECK(size[at] == 0 || p[at][0] == (char)at);
        CHECK(size[at] == 0 || n < size[at] || p[at][size[at] - 1] == (char)at);
        p[at][0] = p[at][n - 1] = (char)at;
        size[at] = n;
    }
    CHECK(mappings() < most * 3 / 5);
    for (int i = 0; i < BLOCKS; i++)
        free(p[i]);
}

static void theirs(size_t most)
{
    pool_fill(&pool, 20 * MIB, 1);
    char *large = malloc(10 * MIB);
    fill(large, 10 * MIB, 1);
    /* Every other page has other rights, so that each is a mapping. */
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 2 * most * page;
    char *all = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(all != MAP_FAILED);
    size_t at = 0;
    while (at < bytes && mprotect(all + at, page, PROT_READ) == 0)
        at += 2 * page;
    CHECK(errno == ENOMEM && at < bytes);
    for (uint64_t round = 0; round < 3; round++) {
        pool_fill(&pool, pool.bytes + 40 * MIB, round);
        pool_check(&pool);
        char *more = realloc(large, 30 * MIB);
        CHECK(more != NULL || errno == ENOMEM);
        large = more != NULL ? more : large;
        CHECK(holds(large, 10 * MIB, 1));
        free(calloc(1, 20 * MIB));
        malloc_trim(0);
        pool_free(&pool);
    }
    CHECK(munmap(all, bytes) == 0);
    pool_fill(&pool, 100 * MIB, 2);
    CHECK(pool.bytes >= 100 * MIB);
    pool_free(&pool);
    free(large);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (allowed() > 200000) {
        puts("too many mappings to use up");
        return ok();
    }
    strcmp(argv[1], "ours") == 0 ? ours(allowed()) : theirs(allowed());
    return ok();
}
