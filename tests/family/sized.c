/* C23's sized frees, and `cfree`: names that this machine's C library does not declare. */
#include <malloc.h>
#include "check.h"

void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);
void cfree(void *p);

int main(void)
{
    free_sized(NULL, 0);
    free_sized(NULL, 1000);
    free_aligned_sized(NULL, 64, 1000);
    cfree(NULL);
    for (size_t size = 0; size <= 16 * MIB; size = size < 3000 ? size + 1 : size * 9 / 8) {
        errno = 4711;
        free_sized(malloc(size), size);
        CHECK(errno == 4711 || size > 0);
        free_sized(calloc(1, size), size);
        free_sized(calloc(size, 1), size);
        if (size > 0)
            free_sized(realloc(malloc(size / 2 + 1), size), size);
        cfree(malloc(size));
    }
    for (size_t align = 1; align <= 1 * MIB; align *= 2)
        for (size_t size = 1; size <= 4 * MIB; size = size * 5 / 2 + 1) {
            void *p = aligned_alloc(align, size);
            CHECK(p != NULL);
            fill(p, size, 1);
            errno = 4711;
            free_aligned_sized(p, align, size);
            CHECK(errno == 4711);
        }
    /* What they free comes back: this would take 100 GB. */
    for (int i = 0; i < 100000; i++) {
        char *p = malloc(1 * MIB);
        CHECK(p != NULL);
        p[0] = 1;
        free_sized(p, 1 * MIB);
    }
    CHECK(resident() < 200 * MIB);
    return ok();
}
