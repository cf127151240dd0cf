/* `malloc_usable_size`: at least what was asked, all of it usable, no move within it. */
#include <malloc.h>
#include "check.h"

int main(void)
{
    CHECK(malloc_usable_size(NULL) == 0);
    for (size_t size = 0; size <= 8 * MIB; size = size < 2000 ? size + 1 : size * 5 / 4) {
        char *low = malloc(size), *p = malloc(size), *high = malloc(size);
        CHECK(low != NULL && p != NULL && high != NULL);
        fill(low, malloc_usable_size(low), 1);
        fill(high, malloc_usable_size(high), 3);
        size_t usable = malloc_usable_size(p);
        CHECK(usable >= size);
        /* Waste has a bound: an eighth and a granule or two, a fourth, a page of 64 KiB. */
        CHECK(usable <= (size <= 8 * KIB ? size + size / 8 + 32 : size <= 64 * KIB ? size + size / 4 : size + 64 * KIB));
        fill(p, usable, 2);
        char *same = realloc(p, usable);
        CHECK(same == p);
        CHECK(malloc_usable_size(p) == usable);
        for (size_t within = size; within < usable; within += 1 + usable / 16) {
            if (within == 0)
                continue;
            CHECK(realloc(p, within) == p);
            /* Asked for less, it may promise less; ask for all again. */
            CHECK(realloc(p, usable) == p);
        }
        CHECK(holds(p, usable, 2));
        CHECK(holds(low, malloc_usable_size(low), 1));
        CHECK(holds(high, malloc_usable_size(high), 3));
        free(low);
        free(p);
        free(high);
    }
    for (size_t align = 16; align <= 1 * MIB; align *= 4)
        for (size_t size = 1; size <= 1 * MIB; size *= 3) {
            char *p = memalign(align, size), *next = malloc(size);
            CHECK(p != NULL && next != NULL);
            size_t usable = malloc_usable_size(p);
            CHECK(usable >= size);
            fill(next, size, 4);
            fill(p, usable, 5);
            CHECK(holds(next, size, 4));
            CHECK(realloc(p, usable) == p);
            free(p);
            free(next);
        }
    return ok();
}
