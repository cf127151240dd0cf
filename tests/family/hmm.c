/* `hmm.h` from C: HMM's own names beside the standard ones, on the same heap. */
#include "hmm.h"
#include "check.h"

int main(void)
{
    struct HmmStatistics before, after;
    HmmFree(NULL);
    CHECK(HmmUsableSize(NULL) == 0);
    CHECK(HmmCheck() == 0);

    void *a = HmmAlloc(0), *b = HmmAlloc(0);
    CHECK(a != NULL && b != NULL && a != b);
    HmmFree(a);
    HmmFree(b);

    for (size_t size = 1; size <= 32 * MIB; size = size * 5 / 4 + 1) {
        char *p = HmmAlloc(size);
        CHECK(p != NULL && HmmUsableSize(p) >= size && is_aligned(p, size < 16 ? 8 : 16));
        fill(p, size, 1);
        CHECK((p = HmmRealloc(p, size * 2)) != NULL && holds(p, size, 1));
        fill(p, size * 2, 2);
        CHECK((p = HmmRealloc(p, size / 2 + 1)) != NULL && holds(p, size / 2 + 1, 2));
        HmmFree(p);
        CHECK((p = HmmCalloc(size, 1)) != NULL && holds(p, size, 0));
        HmmFree(p);
        CHECK((p = HmmCalloc(1, size)) != NULL && holds(p, size, 0));
        /* One heap: either family frees what the other gave. */
        free(p);
        HmmFree(malloc(size));
        CHECK((p = HmmRealloc(malloc(size), size + 1)) != NULL);
        CHECK((p = realloc(p, size + 2)) != NULL);
        HmmFree(p);
    }
    for (size_t align = 1; align <= 16 * MIB; align *= 2) {
        char *p = HmmAlignedAlloc(OPAQUE(align), 1000);
        CHECK(p != NULL && is_aligned(p, align));
        fill(p, 1000, 3);
        HmmFree(p);
    }

    volatile size_t most = SIZE_MAX;
    char *kept = HmmAlloc(100);
    fill(kept, 100, 4);
    errno = 0;
    CHECK(HmmAlloc(most) == NULL && errno == ENOMEM);
    CHECK(HmmAlloc(most - 3) == NULL);
    errno = 0;
    CHECK(HmmCalloc((size_t)1 << 33, (size_t)1 << 31) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(HmmRealloc(kept, most / 2 + 1) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(HmmAlignedAlloc(OPAQUE((size_t)24), 10) == NULL && errno == EINVAL);
    errno = 0;
    CHECK(HmmAlignedAlloc(64, most - 10) == NULL && errno == ENOMEM);
    CHECK(holds(kept, 100, 4));
    CHECK(HmmRealloc(kept, 0) == NULL);
    CHECK((kept = HmmRealloc(NULL, 0)) != NULL);
    HmmFree(kept);

    HmmStats(&before);
    kept = HmmAlloc(10 * MIB);
    fill(kept, 10 * MIB, 5);
    HmmStats(&after);
    CHECK(after.allocated >= before.allocated + 10 * MIB);
    CHECK(after.allocated <= before.allocated + 12 * MIB);
    CHECK(after.active >= after.allocated);
    CHECK(after.resident >= 10 * MIB);
    CHECK(after.mapped >= after.active);
    CHECK(after.metadata > 0);
    CHECK(after.blocks == before.blocks + 1);
    CHECK(after.large_blocks == before.large_blocks + 1);
    CHECK(after.brk_bytes + after.reserve_bytes <= after.mapped);
    HmmFree(kept);
    HmmStats(&after);
    CHECK(after.allocated == before.allocated && after.blocks == before.blocks);

    void *many[1000];
    for (int i = 0; i < 1000; i++)
        many[i] = HmmAlloc((size_t)i * i);
    for (int i = 0; i < 1000; i += 2)
        HmmFree(many[i]);
    CHECK(HmmCheck() == 0);
    for (int i = 1; i < 1000; i += 2)
        HmmFree(many[i]);
    CHECK(HmmCheck() == 0);
    return ok();
}
