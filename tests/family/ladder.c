/* `realloc` keeps contents up and down a ladder of sizes to 512 MB, alone and with neighbours
 * in its way; and a block never moves within its usable size. */
#include <malloc.h>
#include "check.h"

static void write_words(uint64_t *words, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        words[i] = i * 0x9e3779b97f4a7c15u;
}

static int words_hold(const uint64_t *words, size_t count)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong |= words[i] ^ (i * 0x9e3779b97f4a7c15u);
    return wrong == 0;
}

/* Climbs to `top` bytes and down again. With `neighbours`, a block is put behind ours at each
 * step, so that growing in place meets an obstacle. */
static void ladder(size_t top, size_t times, size_t by, int neighbours)
{
    static void *behind[400];
    size_t n = 0, words = 1;
    uint64_t *p = malloc(8);
    CHECK(p != NULL);
    write_words(p, 0, words);
    while (words * 8 < top) {
        size_t more = words * times / by + 1;
        CHECK((p = realloc(p, more * 8)) != NULL);
        CHECK(words_hold(p, words));
        write_words(p, words, more);
        words = more;
        if (neighbours && n < 400)
            CHECK((behind[n++] = malloc(words % 40000)) != NULL);
    }
    while (words > 1) {
        words = words * by / times;
        CHECK((p = realloc(p, words * 8 + 1)) != NULL);
        CHECK(words_hold(p, words));
    }
    free(p);
    while (n > 0)
        free(behind[--n]);
}

/* A buffer that grows in small steps moves seldom: it gets some room ahead. */
static void steps(size_t step, int most)
{
    int moves = 0;
    char *p = malloc(step), *before = p;
    CHECK(p != NULL);
    for (size_t size = step; size < 100000; size += step) {
        CHECK((p = realloc(p, size)) != NULL);
        moves += p != before;
        before = p;
    }
    CHECK(moves <= most);
    /* But not so much that it is a waste. */
    CHECK(malloc_usable_size(p) <= 100000 * 5 / 4 + 65536);
    free(p);
}

int main(void)
{
    ladder(512 * MIB, 2, 1, 0);
    ladder(256 * MIB, 3, 1, 1);
    ladder(16 * MIB, 9, 8, 0);
    ladder(16 * MIB, 9, 8, 1);
    ladder(200 * KIB, 101, 100, 1);
    ladder(3 * KIB, 101, 100, 0);

    /* Many blocks that grow in turn: strings that programs append to. */
    enum { MANY = 64 };
    uint64_t *p[MANY] = {0};
    size_t words[MANY] = {0};
    uint64_t random = 3;
    for (int step = 0; step < 20000; step++) {
        size_t i = next_random(&random) % MANY;
        size_t to = next_random(&random) % 3 == 0 ? words[i] / 2 + 1
                                                  : words[i] + some_size(&random) / 8 + 1;
        CHECK((p[i] = realloc(p[i], to * 8)) != NULL);
        CHECK(words_hold(p[i], to < words[i] ? to : words[i]));
        if (to > words[i])
            write_words(p[i], words[i], to);
        words[i] = to > 64 * KIB ? 1 : to;
    }
    for (int i = 0; i < MANY; i++)
        free(p[i]);
    steps(16, 45);
    steps(100, 30);
    return ok();
}
