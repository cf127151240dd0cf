/* A library that is preloaded beside HMM: it allocates in its constructor, before HMM's or after,
 * and frees what it has when all else has ended. */
#include "check.h"

static char *early[100];

__attribute__((constructor(101))) static void first(void)
{
    for (int i = 0; i < 100; i++) {
        CHECK((early[i] = malloc((size_t)i * 500)) != NULL);
        fill(early[i], (size_t)i * 500, 3);
    }
}

__attribute__((destructor(101))) static void last(void)
{
    for (int i = 0; i < 100; i++) {
        CHECK(holds(early[i], (size_t)i * 500, 3));
        free(early[i]);
    }
    free(malloc(MIB));
}
