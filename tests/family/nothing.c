/* `free(NULL)` frees nothing, wherever it comes: also in a thread that has not freed a block by the
 * short way yet, while what it remembers changes. With an argument, where the break is refused. */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

enum { BLOCKS = 20000, TURNS = 400000 };

static void free_nothing(void)
{
    free(NULL);
}

/* What a slab without a free slot got back and gave again is remembered, and forgotten at a refill. */
static void of_full_slabs(void)
{
    enum { MANY = 3 * 4096, MORE = 100 };
    static size_t *block[MANY + MORE];
    for (size_t i = 0; i < MANY; i++) {
        block[i] = malloc(16);
        CHECK(block[i] != NULL);
        *block[i] = i;
    }
    free(block[0]);
    block[0] = malloc(16);
    *block[0] = 0;
    for (size_t i = MANY; i < MANY + MORE; i++) {
        block[i] = malloc(16);
        *block[i] = i;
    }
    free_nothing();
    for (size_t i = 0; i < MANY + MORE; i++) {
        CHECK(*block[i] == i);
        free(block[i]);
    }
}

static void at_random(void)
{
    static size_t *block[BLOCKS];
    uint64_t state = 7;
    for (size_t turn = 0; turn < TURNS; turn++) {
        size_t at = next_random(&state) % BLOCKS;
        CHECK(block[at] == NULL || *block[at] == at);
        free(block[at]);
        block[at] = NULL;
        if (next_random(&state) % 8 < 5 + (turn >> 16 & 1) * 2) {
            block[at] = malloc(16);
            CHECK(block[at] != NULL);
            *block[at] = at;
        }
    }
}

static void *begins(void *unused)
{
    of_full_slabs();
    at_random();
    return unused;
}

/* What the heap takes from now on is not of its first range. */
static void refuse_the_break(void)
{
    char *end = (char *)(((uintptr_t)sbrk(0) + 4095) & ~(uintptr_t)4095);
    CHECK(mmap(end, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == end);
    for (int i = 0; i < 200; i++)
        CHECK(malloc(140000) != NULL);
}

int main(int argc, char **argv)
{
    (void)argv;
    free(malloc(1 << 20));
    if (argc > 1)
        refuse_the_break();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, begins, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    begins(NULL);
    return ok();
}
