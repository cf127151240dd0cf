/* glibc's second names are those of the same heap. */
#include <malloc.h>
#include "check.h"

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t), *__libc_valloc(size_t), *__libc_pvalloc(size_t);
void __libc_free(void *);

int main(void)
{
    char *p = __libc_malloc(100);
    CHECK(p != NULL && malloc_usable_size(p) >= 100);
    fill(p, 100, 1);
    CHECK((p = realloc(p, 100000)) != NULL && holds(p, 100, 1));
    CHECK((p = __libc_realloc(p, 50)) != NULL && holds(p, 50, 1));
    free(p);
    CHECK((p = __libc_calloc(10, 10)) != NULL && holds(p, 100, 0));
    free(p);
    errno = 0;
    CHECK(__libc_calloc(SIZE_MAX, 2) == NULL && errno == ENOMEM);
    CHECK(is_aligned(p = __libc_memalign(1024, 10), 1024));
    free(p);
    CHECK(is_aligned(p = __libc_valloc(10), 4096));
    free(p);
    CHECK(is_aligned(p = __libc_pvalloc(10), 4096) && malloc_usable_size(p) >= 4096);
    free(p);
    CHECK((p = malloc(10)) != NULL);
    __libc_free(p);
    __libc_free(NULL);
    return ok();
}
