/* Large blocks of random life, written whole: images, matrices, frames. */
#include "loads.h"

#include <string.h>

enum { LIVE = 256 };

/* About 190 MiB are live once all slots are filled, which is part of the work. */
static uint64_t buffers(double scale, unsigned variant)
{
    (void)variant;
    static uint8_t *slot[LIVE];
    static uint32_t length[LIVE];
    static struct sizes sizes;
    sizes_skewed(&sizes, 16 * KIB, 4 * MIB);
    struct random random = random_from(0);
    uint64_t ops = times(scale, 5000);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t at = below(LIVE, drawn), size = size_of(&sizes, drawn);
        if (slot[at] != NULL) {
            if (slot[at][0] != (uint8_t)at || slot[at][length[at] - 1] != (uint8_t)at)
                fail("a large block has changed");
            free(slot[at]);
        }
        slot[at] = not_null(malloc(size));
        length[at] = size;
        memset(slot[at], (int)at, size);
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"large-random", "random replacement, 256 live of 16 KiB-4 MiB, written whole: images and matrices", buffers, 0},
};
GROUP(large, rows);
