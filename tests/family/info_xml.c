/* Writes `malloc_info` of a heap with some megabytes in use. */
#include <malloc.h>
#include "check.h"

int main(void)
{
    for (size_t size = 1; size < 100000; size = size * 9 / 8 + 1) {
        char *p = malloc(size), *q = malloc(size);
        CHECK(p != NULL && q != NULL);
        free(p);
    }
    CHECK(malloc(5 * MIB) != NULL);
    CHECK(malloc_info(0, stdout) == 0);
    return 0;
}
