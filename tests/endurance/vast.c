/* Far more addresses than there is memory: blocks that are touched here and there only, until the
 * heap spans as many bytes as asked for, among small ones that are full; then they go in an order of
 * chance, and new ones take their places.
 *
 * vast BYTES BLOCK */
#include "hmm_by_name.h"

enum { MOST = 1 << 20 };

static unsigned char *block[MOST], *small[MOST];
static uint64_t random_state = 5;

/* At its ends and in the middle, a block tells which it is. */
static void mark(size_t i, size_t size)
{
    for (int at = 0; at < 3; at++)
        memcpy(block[i] + (size - 8) / 2 * (size_t)at, &i, sizeof i);
}

static int is_marked(size_t i, size_t size)
{
    int same = 1;
    for (int at = 0; at < 3; at++)
        same &= memcmp(block[i] + (size - 8) / 2 * (size_t)at, &i, sizeof i) == 0;
    return same;
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    size_t size = strtoull(argv[2], NULL, 10), count = strtoull(argv[1], NULL, 10) / size;
    CHECK(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        if ((block[i] = malloc(size)) == NULL) {
            fprintf(stderr, "refused after %zu of %zu blocks, %zu MiB\n", i, count, i * (size / KIB) / KIB);
            CHECK(!"memory without a limit, but no block");
        }
        mark(i, size);
        CHECK((small[i] = malloc(100)) != NULL);
        fill(small[i], 100, (unsigned char)i);
    }
    struct HmmStatistics full = hmm_stats();
    fprintf(stderr, "%zu MiB allocated in %zu blocks: %zu MiB mapped, %zu MiB resident, %zu KiB metadata\n",
        full.allocated / MIB, full.blocks, full.mapped / MIB, full.resident / MIB, full.metadata / KIB);
    CHECK(full.allocated >= count * size);
    /* Three of its pages, and 64 bytes for each 64 KiB of addresses. */
    CHECK(full.resident <= count * 4 * 4 * KIB + full.allocated / 512 + 16 * MIB);
    hmm_is_sound();

    for (size_t n = 2 * count; n > 0; n--) {
        size_t i = next_random(&random_state) % count;
        CHECK(is_marked(i, size));
        free(block[i]);
        CHECK((block[i] = malloc(size)) != NULL);
        mark(i, size);
    }
    for (size_t i = 0; i < count; i++) {
        CHECK(is_marked(i, size) && holds(small[i], 100, (unsigned char)i));
        free(block[i]);
        free(small[i]);
    }
    hmm_is_sound();
    hmm_trim();
    struct HmmStatistics end = hmm_stats();
    fprintf(stderr, "at the end %zu MiB mapped, %zu KiB resident\n", end.mapped / MIB, end.resident / KIB);
    CHECK(end.allocated < MIB);
    CHECK(end.resident <= end.metadata + 2 * MIB);
    return ok();
}
