/* A server's sessions: sets of blocks that go from thread to thread, so that most blocks are freed by
 * another thread than the one that made them. What Larson and Krishnan saw in mail servers. */
#include "loads.h"

#include <pthread.h>

#include "fifo.h"

enum { BLOCKS = 1000, TURNS = 2000, MOST_SESSIONS = 2 * MOST_THREADS };

struct session {
    void *block[BLOCKS];
    uint32_t number;
};

struct server {
    struct fifo waiting;
    struct sizes sizes;
    uint64_t rounds_each;
    struct session session[MOST_SESSIONS];
};

static uint32_t tag_of(const struct session *session, uint32_t slot)
{
    return session->number * BLOCKS + slot;
}

/* The session's blocks are replaced at random, at first into empty slots. */
static void serve(struct session *session, const struct sizes *sizes, uint64_t seed)
{
    struct random random = random_from(seed);
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t slot = below(BLOCKS, drawn), tag = tag_of(session, slot);
        if (session->block[slot] != NULL)
            drop(session->block[slot], tag, turn);
        session->block[slot] = take(size_of(sizes, drawn), tag);
    }
}

static struct server *server_of(unsigned sessions, double scale, double turns, unsigned threads)
{
    struct server *server = table(sizeof *server);
    fifo_init(&server->waiting, FIFO_ROOM);
    sizes_even(&server->sizes, 16, 1024);
    for (uint32_t i = 0; i < sessions; i++) {
        server->session[i].number = i;
        fifo_put(&server->waiting, &server->session[i]);
    }
    server->rounds_each = times(scale, turns / TURNS / threads);
    return server;
}

static void worker(unsigned id, void *shared)
{
    struct server *server = shared;
    for (uint64_t round = 0; round < server->rounds_each; round++) {
        struct session *session = fifo_get(&server->waiting);
        serve(session, &server->sizes, round * MOST_THREADS + id);
        fifo_put(&server->waiting, session);
    }
}

static uint64_t handed_on(double scale, unsigned threads)
{
    struct server *server = server_of(2 * threads, scale, 12e6, threads);
    measure_threads(threads, worker, server);
    return server->rounds_each * threads * TURNS;
}

struct watch {
    struct server *server;
    struct session *session;
    uint64_t seed;
};

static void *one_watch(void *arg)
{
    struct watch *watch = arg;
    serve(watch->session, &watch->server->sizes, watch->seed);
    return NULL;
}

/* A chain of threads: each ends after its watch, and its blocks go to the next one. */
static void chain(unsigned id, void *shared)
{
    struct server *server = shared;
    struct session *session = &server->session[id];
    for (uint64_t round = 0; round < server->rounds_each; round++) {
        struct watch watch = {server, session, round * MOST_THREADS + id};
        pthread_t thread;
        if (pthread_create(&thread, NULL, one_watch, &watch) != 0)
            fail("no thread");
        pthread_join(thread, NULL);
    }
}

static uint64_t survived(double scale, unsigned threads)
{
    struct server *server = server_of(0, scale, 8e6, threads);
    for (uint32_t i = 0; i < threads; i++)
        server->session[i].number = i;
    measure_threads(threads, chain, server);
    return server->rounds_each * threads * TURNS;
}

static const struct workload rows[] = {
    {"server-2", "2 threads take turns at 4 sessions' blocks of 16-1024 B: a server, as larson", handed_on, 2},
    {"server-8", "8 threads take turns at 16 sessions' blocks of 16-1024 B: a server, as larson", handed_on, 8, 1},
    {"server-relay", "4 chains of short threads, each leaving its blocks to the next: larson with threads that end", survived, 4},
};
GROUP(servers, rows);
