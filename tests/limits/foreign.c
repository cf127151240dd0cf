/* Other code moves the break too: up and down before, between and beside our growth, by amounts
 * that are no multiple of anything, also in another thread. What it has is its own, what we have
 * is ours. */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include "pool.h"

static struct pool pool;

static struct { unsigned char *p; size_t size; } taken[2000];
static int count;

/* Takes memory from the break, as an old program does, and fills it. */
static void take(size_t size)
{
    unsigned char *p = sbrk((intptr_t)size);
    CHECK(p != (void *)-1);
    fill(p, size, (unsigned char)(200 + count % 50));
    taken[count].p = p;
    taken[count++].size = size;
}

static void check_taken(void)
{
    for (int i = 0; i < count; i++)
        CHECK(holds(taken[i].p, taken[i].size, (unsigned char)(200 + i % 50)));
}

/* Gives the last piece back, if nobody took more after it. */
static void give_back(void)
{
    if (count > 0 && (unsigned char *)sbrk(0) == taken[count - 1].p + taken[count - 1].size) {
        CHECK(sbrk(-(intptr_t)taken[count - 1].size) != (void *)-1);
        count--;
    }
}

/* Sets the break to an address, up and down again over what is its own, as a program does that keeps
 * its memory there. */
static void sets_break(void)
{
    for (int i = 0; i < 100; i++) {
        char *mine = sbrk(0);
        size_t size = (size_t)i * 7919 % 300000 + 1;
        CHECK(brk(mine + size) == 0 && sbrk(0) == mine + size);
        fill(mine, size, 9);
        char *p = malloc(5 * MIB);
        CHECK(p != NULL);
        fill(p, 5 * MIB, 1);
        CHECK(holds(mine, size, 9));
        if (i % 2 == 0 && (char *)sbrk(0) == mine + size)
            CHECK(brk(mine) == 0);
        CHECK(holds(p, 5 * MIB, 1));
        free(p);
        if (i % 2 == 0 && (char *)sbrk(0) == mine + size)
            CHECK(brk(mine) == 0);
        if (i % 10 == 0)
            malloc_trim(0);
    }
}

static atomic_int stop;

static void *beside(void *unused)
{
    static struct { unsigned char *p; size_t size; } mine[3000];
    uint64_t random = 11;
    int n = 0;
    while (!stop && n < 3000) {
        size_t size = next_random(&random) % 9000 + 1;
        mine[n].p = sbrk((intptr_t)size);
        CHECK(mine[n].p != (void *)-1);
        fill(mine[n].p, size, (unsigned char)n);
        mine[n++].size = size;
        usleep(200);
    }
    for (int i = 0; i < n; i++)
        CHECK(holds(mine[i].p, mine[i].size, (unsigned char)i));
    return unused;
}

int main(void)
{
    take(1);
    take(4095);
    take(100 * KIB + 7);
    give_back();
    for (uint64_t round = 0; round < 200; round++) {
        pool_fill(&pool, pool.bytes + MIB, round);
        take(round * 997 % 70000 + 1);
        if (round % 3 == 0)
            give_back();
        if (round % 50 == 49) {
            pool_check(&pool);
            check_taken();
            pool_free(&pool);
            malloc_trim(0);
            check_taken();
        }
        CHECK(sbrk(0) != (void *)-1);
    }
    /* A large piece, over and over: the break goes far up and comes back. */
    for (int i = 0; i < 50; i++) {
        take(32 * MIB);
        char *p = malloc(5 * MIB);
        CHECK(p != NULL);
        fill(p, 5 * MIB, 1);
        give_back();
        CHECK(holds(p, 5 * MIB, 1));
        free(p);
        give_back();
        check_taken();
        if (count > 1500)
            break;
    }
    pool_free(&pool);
    sets_break();
    check_taken();

    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, beside, NULL) == 0);
    for (uint64_t round = 0; round < 20; round++) {
        pool_fill(&pool, 40 * MIB, round);
        pool_check(&pool);
        pool_free(&pool);
    }
    stop = 1;
    CHECK(pthread_join(thread, NULL) == 0);
    check_taken();
    return ok();
}
