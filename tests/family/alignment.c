/* Blocks are aligned as asked, and for every type that fits; and no two overlap. */
#include <malloc.h>
#include "check.h"

enum { KEPT = 256 };
static struct { char *p; size_t size; unsigned char with; } kept[KEPT];
static uint64_t state = 1;

/* Keeps a block for a while, full of its own byte; the one it replaces must have all of its. */
static void keep(char *p, size_t size)
{
    static unsigned char with;
    size_t at = next_random(&state) % KEPT;
    CHECK(holds(kept[at].p, kept[at].size, kept[at].with));
    free(kept[at].p);
    kept[at].p = p;
    kept[at].size = size;
    kept[at].with = ++with;
    fill(p, size, with);
}

static size_t natural(size_t size)
{
    return size >= 16 ? 16 : 8;
}

static void checked(char *p, size_t size, size_t align)
{
    CHECK(p != NULL);
    CHECK(is_aligned(p, align));
    CHECK(malloc_usable_size(p) >= size);
    keep(p, size);
}

int main(void)
{
    CHECK(_Alignof(max_align_t) <= 16);
    for (size_t size = 1; size <= 1 * MIB; size = size < 5000 ? size + 1 : size * 17 / 16) {
        checked(malloc(size), size, natural(size));
        checked(calloc(1, size), size, natural(size));
        checked(realloc(malloc(size / 2 + 1), size), size, natural(size));
        checked(reallocarray(NULL, size, 1), size, natural(size));
        size_t align = (size_t)1 << (next_random(&state) % 17);
        void *p = NULL;
        checked(memalign(OPAQUE(align), size), size, align);
        checked(aligned_alloc(OPAQUE(align), size), size, align);
        align = align < sizeof(void *) ? sizeof(void *) : align;
        CHECK(posix_memalign(&p, OPAQUE(align), size) == 0);
        checked(p, size, align);
        /* A block that was aligned for more can be resized as any other. */
        p = realloc(memalign(OPAQUE(align), size), size * 2);
        checked(p, size * 2, natural(size * 2));
        /* Also where it asked for less than others have, and stays. */
        checked(realloc(memalign(OPAQUE((size_t)8), size), size), size, natural(size));
    }
    /* Every alignment with every power of two of a size, and its neighbours. */
    for (size_t align = 8; align <= 2 * MIB; align *= 2)
        for (size_t size = 1; size <= 4 * MIB; size *= 4)
            for (size_t more = 0; more < 3; more++) {
                void *p = NULL;
                CHECK(posix_memalign(&p, OPAQUE(align), size + more - 1) == 0);
                checked(p, size + more - 1, align);
            }
    for (int i = 0; i < KEPT; i++) {
        CHECK(holds(kept[i].p, kept[i].size, kept[i].with));
        free(kept[i].p);
    }
    return ok();
}
