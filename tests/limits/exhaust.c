/* Uses up all memory that a limit leaves, frees all, and does so again: what was had is intact,
 * every refusal is ENOMEM, and each time there is as much as the first time.
 *
 * exhaust MEBIBYTES: how much there must at least be. */
#include "pool.h"

static struct pool pool;

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    size_t least = strtoul(argv[1], NULL, 10) * MIB, first = 0;
    for (uint64_t round = 0; round < 4; round++) {
        pool_exhaust(&pool, round);
        pool_check(&pool);
        CHECK(pool.bytes >= least);
        if (round == 0)
            first = pool.bytes;
        CHECK(pool.bytes >= first - first / 8);
        pool_free(&pool);
        /* One block as large as half of all that there was. */
        char *large = malloc(first / 2 < 10 * MIB ? first / 2 : 10 * MIB);
        CHECK(large != NULL);
        fill(large, first / 2 < 10 * MIB ? first / 2 : 10 * MIB, 1);
        free(large);
    }
    return ok();
}
