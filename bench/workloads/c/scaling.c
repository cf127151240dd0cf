/* The same work by one thread and by two that share nothing. With two an operation should take half
 * the time; what it takes beyond that is lost in the allocator, or in the machine. */
#include "loads.h"

enum { LIVE = 5000 };

struct field {
    struct sizes sizes;
    uint64_t ops_each;
    void *block[MOST_THREADS][LIVE];
};

static void replace(unsigned id, void *shared)
{
    struct field *field = shared;
    void **block = field->block[id];
    struct random random = random_from(id);
    for (uint64_t turn = 0; turn < field->ops_each; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t slot = below(LIVE, drawn);
        if (block[slot] != NULL)
            drop(block[slot], slot, turn);
        block[slot] = take(size_of(&field->sizes, drawn), slot);
    }
}

static uint64_t alone(double scale, unsigned threads)
{
    struct field *field = table(sizeof *field);
    sizes_even(&field->sizes, 16, 1024);
    field->ops_each = times(scale, 10e6);
    measure_threads(threads, replace, field);
    return field->ops_each * threads;
}

static const struct workload rows[] = {
    {"scale-1", "random replacement, 5 000 live, 16-1024 B, by one thread beside main", alone, 1},
    {"scale-2", "the same by two threads at once that share nothing: half of scale-1 would be perfect", alone, 2},
};
GROUP(scaling, rows);
