/* `malloc_trim` and `HmmTrim` give back all that is free, say whether there was something, and leave
 * what is live alone. */
#include <malloc.h>
#include "phases.h"

/* What is to stay at the top keeps its memory, and no more than that does. */
static void pads(void)
{
    char *p = malloc(50 * MIB);
    memset(p, 1, 50 * MIB);
    free(p);
    size_t least = stats().held - stats().metadata - 50 * MIB;
    static const size_t pad[] = {60 * MIB, 30 * MIB, 20 * MIB, 0};
    for (int i = 0; i < 4; i++) {
        size_t before = stats().resident, stays = (pad[i] < 50 * MIB ? pad[i] : 50 * MIB);
        CHECK(malloc_trim(pad[i]) == (stays < 50 * MIB));
        CHECK(malloc_trim(pad[i]) == 0);
        size_t kept = stats().held - stats().metadata;
        CHECK(kept >= stays && kept <= least + stays + 256 * KIB);
        CHECK(stats().resident <= before - (pad[i] < 50 * MIB ? 9 * MIB : 0));
    }
}

int main(void)
{
    phases_begin();
    HmmTrim();
    CHECK(HmmTrim() == 0);
    CHECK(HmmSetOption(HMM_OPTION_KEEP, GIB) == 0);
    pads();
    for (int round = 0; round < 3; round++) {
        grow_to(100 * MIB, 16, 20000);
        grow_to(200 * MIB, 100000, 3000000);
        shrink_at_random(10 * MIB);
        size_t before = stats().resident;
        CHECK((round % 2 ? malloc_trim(0) : HmmTrim()) == 1);
        struct HmmStatistics s = stats();
        CHECK(s.resident < before);
        CHECK(s.resident <= live_pages() + s.metadata + 256 * KIB);
        CHECK(s.active + s.metadata == s.held);
        CHECK(HmmTrim() == 0);
        for (size_t i = 0; i < blocks; i++)
            CHECK(holds(block[i].p, block[i].size, 1));
    }
    shrink_at_random(0);
    CHECK(malloc_trim(0) == 1);
    /* A static program's libc has some blocks of its own. */
    CHECK(stats().active <= 512 * KIB && stats().held == stats().metadata + stats().active);
    CHECK(HmmCheck() == 0);
    return ok();
}
