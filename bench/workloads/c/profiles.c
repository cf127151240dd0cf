/* Requests as real programs make them: sizes and lifetimes drawn from recorded profiles. */
#include "profiles.h"

#include "loads.h"

/* The trace of one run, replayed as often as it takes. */
enum { REQUESTS = 250000, STEPS = 2 * REQUESTS, NONE = -1 };

static const struct profile {
    const struct profile_row *row;
    size_t rows;
    double runs;
} profile_of[] = {
    {compiler, COUNT(compiler), 60},
    {interpreter, COUNT(interpreter), 50},
    {database, COUNT(database), 50},
    {server, COUNT(server), 40},
};

/* Takes `size` bytes into `slot`, or drops what is there if `size` is 0. */
struct step {
    uint32_t size, slot;
};

/* The slots that are free, and those in use by the request after which they fall free: lists through
 * `next`. */
struct slots {
    int32_t next[REQUESTS], ends_at[REQUESTS], unused, used;
};

struct request {
    uint32_t size, lifetime;
};

/* A lifetime of 1 ends before the next request. */
static uint32_t lifetime_in(unsigned class, struct random *random)
{
    if (class >= LATE)
        return REQUESTS;
    uint32_t most = 1u << 2 * class, least = class == 0 ? 1 : most / 4 + 1;
    return least + below(most - least + 1, draw(random));
}

static struct request request_from(const struct profile *profile, uint32_t total, struct random *random)
{
    uint32_t place = below(total, draw(random));
    for (const struct profile_row *row = profile->row;; row++)
        for (unsigned class = 0; class < LIFETIMES; class++) {
            if (place < row->requests[class])
                return (struct request){row->size, lifetime_in(class, random)};
            place -= row->requests[class];
        }
}

static uint32_t total_of(const struct profile *profile)
{
    uint32_t total = 0;
    for (size_t r = 0; r < profile->rows; r++)
        for (unsigned class = 0; class < LIFETIMES; class++)
            total += profile->row[r].requests[class];
    return total;
}

/* Blocks that outlive the trace are dropped at its end, the youngest first. */
static void draw_trace(const struct profile *profile, struct step *step)
{
    struct slots *slots = table(sizeof *slots);
    struct random random = random_from(0);
    uint32_t total = total_of(profile);
    slots->unused = NONE;
    for (uint32_t at = 0; at < REQUESTS; at++)
        slots->ends_at[at] = NONE;
    for (uint32_t at = 0; at < REQUESTS; at++) {
        int32_t slot = slots->unused;
        if (slot == NONE)
            slot = slots->used++;
        else
            slots->unused = slots->next[slot];
        struct request request = request_from(profile, total, &random);
        *step++ = (struct step){request.size, (uint32_t)slot};
        uint32_t end = at + request.lifetime - 1;
        if (end >= REQUESTS)
            end = REQUESTS - 1;
        slots->next[slot] = slots->ends_at[end];
        slots->ends_at[end] = slot;
        for (int32_t ends = slots->ends_at[at]; ends != NONE;) {
            int32_t next = slots->next[ends];
            *step++ = (struct step){0, (uint32_t)ends};
            slots->next[ends] = slots->unused;
            slots->unused = ends;
            ends = next;
        }
    }
}

static uint64_t replay(double scale, unsigned variant)
{
    const struct profile *profile = &profile_of[variant];
    struct step *step = table(STEPS * sizeof *step);
    void **block = table(REQUESTS * sizeof *block);
    draw_trace(profile, step);
    uint64_t runs = times(scale, profile->runs);
    measure_begin();
    for (uint64_t run = 0; run < runs; run++)
        for (uint32_t i = 0; i < STEPS; i++) {
            uint32_t slot = step[i].slot;
            if (step[i].size > 0)
                block[slot] = take(step[i].size, slot);
            else
                drop(block[slot], slot, i);
        }
    measure_end();
    return runs * REQUESTS;
}

static const struct workload rows[] = {
    {"profile-compiler", "sizes and lifetimes recorded from GCC's cc1 and cc1plus", replay, 0},
    {"profile-interpreter", "sizes and lifetimes recorded from CPython with PYTHONMALLOC=malloc", replay, 1},
    {"profile-database", "sizes and lifetimes recorded from sqlite3 in memory", replay, 2},
    {"profile-server", "sizes and lifetimes recorded from redis-server under redis-benchmark", replay, 3},
};
GROUP(profiles, rows);
