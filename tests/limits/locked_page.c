/* A page of a block is locked, and the block freed so: all the same the memory goes back, of this one and of
 * others; but not where everything is locked. */
#include <malloc.h>
#include <sys/mman.h>
#include "check.h"

enum { BLOCKS = 60 };

static char *block[BLOCKS];

static void take(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((block[i] = malloc(MIB)) != NULL);
        fill(block[i], MIB, 1);
    }
}

static void drop(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
}

/* The longest free run has a locked page, and what lies between the others stays in use. */
static void lock_in_the_longest(void)
{
    char *between[BLOCKS], *longest = malloc(150 * MIB);
    size_t before = resident();
    CHECK(longest != NULL);
    fill(longest + 20 * MIB, 64 * KIB, 1);
    CHECK(mlock(longest + 20 * MIB, 4096) == 0);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((block[i] = malloc(MIB)) != NULL && (between[i] = malloc(70000)) != NULL);
        fill(block[i], MIB, 1);
        fill(between[i], 70000, 2);
    }
    free(longest);
    drop();
    CHECK(resident() < before + 20 * MIB);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(holds(between[i], 70000, 2));
        free(between[i]);
    }
}

int main(void)
{
    lock_in_the_longest();
    /* What is free may be locked; what is in use stays so. */
    take();
    CHECK(mlock(block[7], MIB) == 0);
    char *kept = block[7];
    block[7] = NULL;
    drop();
    malloc_trim(0);
    CHECK(holds(kept, MIB, 1));
    char *zero = calloc(BLOCKS, MIB);
    CHECK(zero != NULL && holds(zero, BLOCKS * MIB, 0));
    free(zero);
    free(kept);
    /* Where all that is mapped from now on is locked, it stays. */
    malloc_trim(0);
    CHECK(mlockall(MCL_FUTURE) == 0);
    take();
    size_t all = resident();
    kept = block[BLOCKS - 1];
    block[BLOCKS - 1] = NULL;
    drop();
    malloc_trim(0);
    CHECK(resident() > all - 8 * MIB);
    free(kept);
    return ok();
}
