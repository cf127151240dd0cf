/* Alignments that a limit leaves no room for: refused as exhaustion is, at once, and what there
 * is stays; those that fit are had. */
#include "pool.h"

static struct pool pool;

int main(void)
{
    pool_fill(&pool, 20 * MIB, 1);
    for (int round = 0; round < 50; round++) {
        for (size_t align = 16; align <= 64 * MIB; align *= 2) {
            char *p = NULL;
            CHECK(posix_memalign(&(void *){NULL}, 3, 1) == EINVAL);
            CHECK(posix_memalign((void **)&p, align, 5000) == 0);
            CHECK(is_aligned(p, align));
            fill(p, 5000, 1);
            free(p);
        }
        for (size_t align = 512 * MIB; align <= 512 * GIB; align *= 4) {
            void *p = &pool;
            int error = posix_memalign(&p, align, 5000);
            /* Luck with the place of the heap may fit even this. */
            CHECK(error == ENOMEM || error == 0);
            if (error == 0)
                free(p);
            else
                CHECK(p == &pool);
        }
    }
    pool_check(&pool);
    pool_exhaust(&pool, 2);
    pool_check(&pool);
    pool_free(&pool);
    return ok();
}
