/* errno stays as it is over `free` of every size, and over every success of `realloc`. */
#include <malloc.h>
#include "check.h"

enum { KEPT = 4711 };

#define KEEPS(call) (errno = KEPT, (call), errno == KEPT)

int main(void)
{
    CHECK(KEEPS(free(NULL)));
    for (size_t size = 1; size <= 256 * MIB; size = size * 3 / 2 + 1) {
        char *p = malloc(size);
        CHECK(p != NULL);
        /* Touched, so that giving it back takes a system call. */
        for (size_t at = 0; at < size; at += 4096)
            p[at] = 1;
        CHECK(KEEPS(p = realloc(p, size / 2 + 1)) && p != NULL);
        CHECK(KEEPS(p = realloc(p, size + size / 8 + 1)) && p != NULL);
        CHECK(KEEPS(p = realloc(p, size)) && p != NULL);
        CHECK(KEEPS(free(p)));
    }
    /* Many at once: whole runs come together and go back while they are freed. */
    enum { MANY = 100000 };
    static char *many[MANY];
    uint64_t random = 1;
    for (int i = 0; i < MANY; i++) {
        size_t size = some_size(&random);
        CHECK((many[i] = malloc(size)) != NULL);
        fill(many[i], size, 1);
    }
    for (int i = 0; i < MANY; i++)
        CHECK(KEEPS(free(many[i * 7919L % MANY])));
    char *p = malloc(100);
    CHECK(KEEPS(p = realloc(p, 0)) && p == NULL);
    CHECK(KEEPS(p = realloc(NULL, 10)) && p != NULL);
    CHECK(KEEPS(p = reallocarray(p, 1000, 1000)) && p != NULL);
    CHECK(KEEPS(free(p)));
    return ok();
}
