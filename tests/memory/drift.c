/* Two threads fill one pool with blocks of sizes that drift, and free each other's; now and then most of them goes. What
 * is kept for the next time is no more than was in use at a time, and an eighth: what is kept already is not in use. */
#include <pthread.h>
#include "phases.h"

enum { TURNS = 160, PERIOD = 20, REST = 10, BATCH = 100 };
#define POOL (30 * MIB)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t moved, most_in_use;
static int turns;

/* Between a third and twice of what this turn is about. */
static size_t drifting(void)
{
    size_t size = 60;
    for (int step = turns % PERIOD; step > 0; step--)
        size = size * 7 / 5;
    return size / 3 + next_random(&seed) % (size / 3 * 5);
}

static void end_of_turn(void)
{
    moved = 0;
    most_in_use = max(most_in_use, live_pages());
    if (++turns % REST == 0)
        shrink_at_random(live_bytes / 10);
}

static void *work(void *none)
{
    for (int goes_on = 1; goes_on;) {
        CHECK(pthread_mutex_lock(&lock) == 0);
        for (int i = 0; i < BATCH; i++) {
            size_t size = drifting();
            shrink_at_random(POOL - size);
            add(size);
            moved += size;
        }
        if (moved >= 2 * POOL)
            end_of_turn();
        goes_on = turns < TURNS;
        CHECK(pthread_mutex_unlock(&lock) == 0);
    }
    return none;
}

int main(void)
{
    phases_begin();
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, work, NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    shrink_at_random(0);
    /* (What slabs without an owner hold is another bound's: a quarter of it may not be swept yet.) */
    HmmStatistics now;
    HmmStats(&now);
    size_t kept = now.held - now.active - now.metadata;
    fprintf(stderr, "%zu KiB kept, %zu in use at most\n", kept / KIB, most_in_use / KIB);
    /* (12 MiB: what the threads may have without asking, and what comes and goes in a turn.) */
    CHECK(kept <= most_in_use / 8 * 9 + 12 * MIB);
    CHECK(HmmCheck() == 0);
    return ok();
}
