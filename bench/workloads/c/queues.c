/* Blocks that one thread makes and another frees, passed in batches through bounded queues. */
#include "loads.h"

#include "fifo.h"

enum { BATCH = 64, ROOM = 16, MOST_PAIRS = MOST_THREADS / 2 };

struct batch {
    uint32_t serial;
    void *block[BATCH];
};

struct pipe {
    struct fifo full, empty;
    struct batch batch[ROOM * 2];
};

struct plant {
    struct sizes sizes;
    uint64_t batches_each;
    struct pipe pipe[MOST_PAIRS];
};

static void fill(struct batch *batch, const struct sizes *sizes, struct random *random, uint32_t serial)
{
    batch->serial = serial;
    for (uint32_t i = 0; i < BATCH; i++)
        batch->block[i] = take(size_of(sizes, draw(random)), serial * BATCH + i);
}

static void empty(struct batch *batch)
{
    for (uint32_t i = 0; i < BATCH; i++)
        drop(batch->block[i], batch->serial * BATCH + i, i);
}

static struct plant *plant_of(unsigned pipes, unsigned room, double scale, double batches_each)
{
    struct plant *plant = table(sizeof *plant);
    sizes_even(&plant->sizes, 16, 256);
    plant->batches_each = times(scale, batches_each);
    for (unsigned p = 0; p < pipes; p++) {
        struct pipe *pipe = &plant->pipe[p];
        fifo_init(&pipe->full, room);
        fifo_init(&pipe->empty, room);
        for (unsigned i = 0; i < room; i++)
            fifo_put(&pipe->empty, &pipe->batch[i]);
    }
    return plant;
}

/* Even threads make, odd ones free; a pair has a pipe of its own. */
static void maker_or_taker(unsigned id, void *shared)
{
    struct plant *plant = shared;
    struct pipe *pipe = &plant->pipe[id / 2];
    struct random random = random_from(id);
    for (uint64_t i = 0; i < plant->batches_each; i++) {
        if (id % 2 == 0) {
            struct batch *batch = fifo_get(&pipe->empty);
            fill(batch, &plant->sizes, &random, (uint32_t)i);
            fifo_put(&pipe->full, batch);
        } else {
            struct batch *batch = fifo_get(&pipe->full);
            empty(batch);
            fifo_put(&pipe->empty, batch);
        }
    }
}

static uint64_t paired(double scale, unsigned threads)
{
    unsigned pairs = threads / 2;
    struct plant *plant = plant_of(pairs, ROOM, scale, 100e3 / pairs);
    measure_threads(threads, maker_or_taker, plant);
    return plant->batches_each * pairs * BATCH;
}

/* Each thread makes a batch, then frees the one that waits longest: with a dozen of batches on their
 * way that is mostly another thread's. */
static void maker_and_taker(unsigned id, void *shared)
{
    struct plant *plant = shared;
    struct pipe *pipe = &plant->pipe[0];
    struct random random = random_from(id);
    for (uint64_t i = 0; i < plant->batches_each; i++) {
        struct batch *made = fifo_get(&pipe->empty);
        fill(made, &plant->sizes, &random, (uint32_t)(i * MOST_THREADS + id));
        fifo_put(&pipe->full, made);
        struct batch *taken = fifo_get(&pipe->full);
        empty(taken);
        fifo_put(&pipe->empty, taken);
    }
}

static uint64_t crossed(double scale, unsigned threads)
{
    /* Room for a batch in each thread's hands and ROOM more, which always wait. */
    struct plant *plant = plant_of(1, 2 * ROOM, scale, 120e3 / threads);
    struct pipe *pipe = &plant->pipe[0];
    struct random random = random_from(MOST_THREADS);
    for (uint32_t i = 0; i < ROOM; i++) {
        struct batch *waiting = fifo_get(&pipe->empty);
        fill(waiting, &plant->sizes, &random, i * MOST_THREADS + threads);
        fifo_put(&pipe->full, waiting);
    }
    measure_threads(threads, maker_and_taker, plant);
    return plant->batches_each * threads * BATCH;
}

static const struct workload rows[] = {
    {"prodcons-2", "a producer and a consumer, 16-256 B: a pipeline of two stages", paired, 2, 1},
    {"prodcons-8", "4 producers and their consumers, 16-256 B: pipelines on a busy machine", paired, 8},
    {"xmalloc-2", "2 threads free each other's batches, 16-256 B: a thread pool, as xmalloc-test", crossed, 2},
    {"xmalloc-8", "8 threads free each other's batches, 16-256 B: a thread pool, as xmalloc-test", crossed, 8},
};
GROUP(queues, rows);
