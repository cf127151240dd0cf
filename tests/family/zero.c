/* `calloc` gives zeros: over fresh memory, over memory that others left dirty, and over memory
 * that went back to the system. And it does not touch a huge fresh block to do so. */
#include <malloc.h>
#include <sys/mman.h>
#include "check.h"

static void zeros(size_t size)
{
    char *p = calloc(size % 8 == 0 ? size / 8 : size, size % 8 == 0 ? 8 : 1);
    CHECK(p != NULL);
    CHECK(holds(p, size, 0));
    /* All that may be used of it is zero as far as it was asked for; and it is left dirty. */
    fill(p, malloc_usable_size(p), 0xa5);
    free(p);
}

int main(void)
{
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size <= 64 * MIB; size = size < 3000 ? size + 1 : size * 9 / 8)
            zeros(size);
        malloc_trim(0);
    }
    /* Among live blocks: partly used pages and runs, resized ones, trimmed ones. */
    enum { MANY = 4000 };
    static char *block[MANY];
    uint64_t random = 2;
    for (int step = 0; step < 40 * MANY; step++) {
        char **b = &block[next_random(&random) % MANY];
        size_t size = some_size(&random);
        switch (next_random(&random) % 4) {
        case 0:
            free(*b);
            CHECK((*b = malloc(size)) != NULL);
            fill(*b, malloc_usable_size(*b), 0x5a);
            break;
        case 1:
            CHECK((*b = realloc(*b, size)) != NULL);
            fill(*b, malloc_usable_size(*b), 0xff);
            break;
        default:
            free(*b);
            CHECK((*b = calloc(1, size)) != NULL);
            CHECK(holds(*b, size, 0));
        }
        if (step % MANY == 0)
            malloc_trim(0);
    }
    for (int i = 0; i < MANY; i++)
        free(block[i]);
    /* Memory that other code used on the break is not zero when it is ours again. */
    char *foreign = sbrk((intptr_t)MIB);
    if (foreign != (char *)-1) {
        fill(foreign, MIB, 0xee);
        if (sbrk(0) == foreign + MIB)
            sbrk(-(intptr_t)MIB);
    }
    for (size_t size = 4 * KIB; size < 32 * MIB; size *= 2)
        zeros(size);

    size_t before = resident();
    char *huge = calloc(1, 4 * GIB);
    CHECK(huge != NULL);
    CHECK(resident() < before + 16 * MIB);
    for (size_t at = 0; at < 4 * GIB; at += 64 * MIB)
        CHECK(huge[at] == 0);
    free(huge);
    return ok();
}
