/* `mallopt(M_TRIM_THRESHOLD, …)` raises what is kept of free memory, and lowers it again, to what held
 * before: what HMM_KEEP says, or the rule.
 *
 * threshold own: what the heap keeps by itself of 50 MiB, at most */
#include <malloc.h>
#include "phases.h"

/* Bytes that are free and held. */
static size_t spare(void)
{
    struct HmmStatistics s = stats();
    return s.held - s.active - s.metadata;
}

static void take_and_free(size_t bytes)
{
    char *p = malloc(bytes);
    CHECK(p != NULL);
    memset(p, 1, bytes);
    free(p);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    size_t own = strtoul(argv[1], NULL, 10), all = 50 * MIB;
    CHECK(mallopt(M_TRIM_THRESHOLD, 64 << 10) == 1);
    CHECK(mallopt(M_TRIM_THRESHOLD, -1) == 1);
    CHECK(mallopt(M_TRIM_THRESHOLD, 64 << 10) == 1);
    take_and_free(all);
    CHECK(spare() <= own && (own < all || spare() >= all));

    CHECK(mallopt(M_TRIM_THRESHOLD, -1) == 1);
    take_and_free(all);
    CHECK(spare() >= all);
    CHECK(mallopt(M_TRIM_THRESHOLD, 16 << 20) == 1);
    CHECK(spare() <= 16 * MIB);
    take_and_free(all);
    CHECK(spare() >= 8 * MIB && spare() <= 16 * MIB);
    CHECK(mallopt(M_TRIM_THRESHOLD, 0) == 1);
    CHECK(spare() <= own);

    /* Who sets the bound by HMM's own call has it, whatever the program asked for before. */
    CHECK(mallopt(M_TRIM_THRESHOLD, -1) == 1);
    CHECK(HmmSetOption(HMM_OPTION_KEEP, MIB) == 0);
    CHECK(mallopt(M_TRIM_THRESHOLD, 0) == 1);
    take_and_free(all);
    CHECK(spare() <= MIB);
    CHECK(HmmCheck() == 0);
    return ok();
}
