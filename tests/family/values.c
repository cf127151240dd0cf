/* What the functions return, for every kind of size and alignment; and errno when they fail. */
#include <limits.h>
#include <malloc.h>
#include <time.h>
#include "check.h"

/* Holds if a call fails as exhaustion does. */
#define REFUSED(call) (errno = 0, (call) == NULL && errno == ENOMEM)

/* Not every libc's headers have it. */
void *pvalloc(size_t size);

static void absurd_sizes(void)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    volatile size_t most = SIZE_MAX;
    char *kept = malloc(100);
    fill(kept, 100, 7);
    for (size_t less = 0; less < 70000; less = less * 3 / 2 + 1) {
        CHECK(REFUSED(malloc(most - less)));
        CHECK(REFUSED(calloc(1, most - less)));
        CHECK(REFUSED(calloc(most - less, 1)));
        CHECK(REFUSED(realloc(NULL, most - less)));
        CHECK(REFUSED(realloc(kept, most - less)));
        CHECK(REFUSED(reallocarray(kept, 1, most - less)));
        CHECK(REFUSED(valloc(most - less)));
        CHECK(REFUSED(pvalloc(most - less)));
        for (size_t align = 1; align <= 1 * MIB; align *= 4) {
            CHECK(REFUSED(memalign(align, most - less)));
            CHECK(REFUSED(aligned_alloc(align, most - less)));
            void *untouched = &kept;
            if (align >= sizeof(void *)) {
                CHECK(posix_memalign(&untouched, align, most - less) == ENOMEM);
                CHECK(untouched == &kept);
            }
        }
    }
    volatile size_t past = (size_t)PTRDIFF_MAX + 1;
    CHECK(REFUSED(malloc(past)));
    CHECK(REFUSED(malloc(past - 1)));
    CHECK(REFUSED(malloc(past + 12345)));
    CHECK(REFUSED(realloc(kept, past)));
    CHECK(REFUSED(pvalloc(past - 1)));
    CHECK(REFUSED(memalign(64, past - 1)));

    volatile size_t root = (size_t)1 << 32;
    CHECK(REFUSED(calloc(root, root)));
    CHECK(REFUSED(calloc(root * 2, root / 2)));
    CHECK(REFUSED(calloc(root + 1, root)));
    CHECK(REFUSED(calloc(most / 2 + 2, 2)));
    CHECK(REFUSED(calloc(most, most)));
    CHECK(REFUSED(reallocarray(NULL, root, root)));
    CHECK(REFUSED(reallocarray(kept, root + 1, root)));
    CHECK(REFUSED(reallocarray(kept, most / 2 + 2, 2)));
    CHECK(holds(kept, 100, 7));
    free(kept);
    /* At once, not after minutes of trying. */
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(after.tv_sec - before.tv_sec < 5);
}

static void size_zero(void)
{
    void *p[] = {malloc(0), malloc(0), calloc(0, 8), calloc(8, 0), calloc(0, SIZE_MAX),
        realloc(NULL, 0), memalign(64, 0), aligned_alloc(64, 0), valloc(0), NULL};
    size_t n = sizeof p / sizeof *p;
    CHECK(posix_memalign(&p[n - 1], 64, 0) == 0);
    for (size_t i = 0; i < n; i++) {
        CHECK(p[i] != NULL);
        for (size_t j = 0; j < i; j++)
            CHECK(p[i] != p[j]);
    }
    for (size_t i = 0; i < n; i++)
        free(p[i]);

    /* `realloc(p, 0)` frees: a hundred thousand blocks of 100 KB would fill 10 GB. */
    size_t before = resident();
    for (int i = 0; i < 100000; i++) {
        char *block = malloc(100000);
        CHECK(block != NULL);
        block[0] = block[99999] = 1;
        CHECK(realloc(block, 0) == NULL);
    }
    CHECK(resident() < before + 64 * MIB);
    void *block = malloc(10);
    CHECK(reallocarray(block, 0, 8) == NULL);
    block = malloc(10);
    CHECK(reallocarray(block, 8, 0) == NULL);
    free(NULL);
}

static void bad_alignments(void)
{
    size_t bad[] = {0, 1, 2, 3, 4, 7, 12, 24, 48, 100, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *untouched = &untouched;
        CHECK(posix_memalign(&untouched, OPAQUE(bad[i]), 16) == EINVAL);
        CHECK(untouched == &untouched);
    }
    size_t odd[] = {0, 3, 6, 24, 1000, SIZE_MAX};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        errno = 0;
        CHECK(aligned_alloc(OPAQUE(odd[i]), 16) == NULL);
        CHECK(errno == EINVAL);
    }
    /* Larger than any power of two, or than any block may be. */
    errno = 0;
    CHECK(memalign(OPAQUE(SIZE_MAX), 16) == NULL && (errno == EINVAL || errno == ENOMEM));
    CHECK(REFUSED(memalign(OPAQUE(SIZE_MAX / 2 + 1), 16)));
    CHECK(REFUSED(aligned_alloc(OPAQUE(SIZE_MAX / 2 + 1), 16)));
    void *p = NULL;
    CHECK(posix_memalign(&p, OPAQUE(SIZE_MAX / 2 + 1), 16) == ENOMEM && p == NULL);
}

static void good_alignments(void)
{
    /* `memalign` rounds up what is no power of two. */
    for (size_t align = 0; align < 5000; align += 13) {
        size_t power = 1;
        while (power < align)
            power *= 2;
        void *p = memalign(OPAQUE(align), 50);
        CHECK(p != NULL && is_aligned(p, power));
        fill(p, 50, 1);
        free(p);
    }
    /* A size that is no multiple of the alignment is fine. */
    void *p = aligned_alloc(OPAQUE((size_t)4096), 100);
    CHECK(p != NULL && is_aligned(p, 4096));
    fill(p, 100, 1);
    free(p);
    for (size_t align = 1; align <= 16; align *= 2) {
        CHECK((p = aligned_alloc(OPAQUE(align), 24)) != NULL && is_aligned(p, align));
        free(p);
    }
    /* Up to gigabytes; and nothing of what is skipped may become resident. */
    size_t before = resident();
    for (size_t align = 1 * MIB; align <= 4 * GIB; align *= 2) {
        char *a = memalign(OPAQUE(align), 100), *b = NULL;
        CHECK(a != NULL && is_aligned(a, align));
        CHECK(posix_memalign((void **)&b, OPAQUE(align), 3 * MIB) == 0);
        CHECK(is_aligned(b, align));
        fill(a, 100, 2);
        fill(b, 3 * MIB, 3);
        CHECK(holds(a, 100, 2));
        free(a);
        CHECK(holds(b, 3 * MIB, 3));
        free(b);
    }
    CHECK(resident() < before + 64 * MIB);
}

static void whole_pages(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t sizes[] = {0, 1, page - 1, page, page + 1, 100 * page + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t rounded = sizes[i] == 0 ? page : (sizes[i] + page - 1) / page * page;
        void *v = valloc(sizes[i]), *p = pvalloc(sizes[i]);
        CHECK(v != NULL && is_aligned(v, page));
        CHECK(p != NULL && is_aligned(p, page));
        CHECK(malloc_usable_size(v) >= sizes[i]);
        CHECK(malloc_usable_size(p) >= rounded);
        fill(p, rounded, 5);
        fill(v, sizes[i], 6);
        CHECK(holds(p, rounded, 5));
        free(v);
        free(p);
    }
}

static void failed_realloc(void)
{
    size_t sizes[] = {1, 48, 1000, 40 * KIB, 1 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = malloc(sizes[i]);
        fill(p, sizes[i], 9);
        CHECK(REFUSED(realloc(p, OPAQUE((size_t)PTRDIFF_MAX))));
        /* Not above PTRDIFF_MAX, but more than there is room for in any address space. */
        CHECK(REFUSED(realloc(p, OPAQUE((size_t)1 << 56))));
        CHECK(holds(p, sizes[i], 9));
        p = realloc(p, 2 * sizes[i]);
        CHECK(p != NULL && holds(p, sizes[i], 9));
        free(p);
    }
    CHECK(REFUSED(malloc(OPAQUE((size_t)1 << 56))));
    CHECK(REFUSED(calloc(OPAQUE((size_t)1 << 28), (size_t)1 << 28)));
}

int main(void)
{
    absurd_sizes();
    size_zero();
    bad_alignments();
    good_alignments();
    whole_pages();
    failed_realloc();
    return ok();
}
