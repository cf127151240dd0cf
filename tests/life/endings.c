/* The heap works to the very end: in atexit handlers, in destructors of the program, and in
 * destructors of thread-specific data up to the last round that there may be. */
#include <limits.h>
#include <pthread.h>
#include "check.h"

static char *left_from_main;
static int rounds_seen;
static pthread_key_t key[40];

static void use_heap(size_t most)
{
    for (size_t size = 1; size < most; size = size * 2 + 1) {
        char *p = malloc(size);
        CHECK(p != NULL);
        fill(p, size, 1);
        CHECK((p = realloc(p, size * 2)) != NULL && holds(p, size, 1));
        free(p);
        CHECK((p = calloc(1, size)) != NULL && holds(p, size, 0));
        free(p);
    }
}

static void at_exit(void)
{
    use_heap(2 * MIB);
    CHECK(holds(left_from_main, 5000, 7));
    free(left_from_main);
    left_from_main = malloc(100);
    /* A handler that is registered by a handler, and the list that holds them, as it grows. */
    static int more;
    if (more++ < 40)
        atexit(at_exit);
    fill(left_from_main = realloc(left_from_main, 5000), 5000, 7);
}

__attribute__((destructor)) static void after_main(void)
{
    use_heap(2 * MIB);
    /* Standard output is still there: destructors come before it is closed. */
    puts("ok");
}

/* What a key holds for a thread, and in which round of destructors it was set. */
struct left {
    int key, round;
    unsigned char bytes[1000];
};

static void leave(int k, int round)
{
    struct left *left = malloc(sizeof *left);
    CHECK(left != NULL);
    left->key = k;
    left->round = round;
    fill(left->bytes, sizeof left->bytes, (unsigned char)k);
    CHECK(pthread_setspecific(key[k], left) == 0);
}

/* Sets the value anew, so that there is a next round, and allocates in each. */
static void end_of_thread(void *value)
{
    struct left *left = value;
    CHECK(holds(left->bytes, sizeof left->bytes, (unsigned char)left->key));
    int k = left->key, round = left->round;
    free(left);
    use_heap(64 * KIB);
    if (round > rounds_seen)
        rounds_seen = round;
    leave(k, round + 1);
}

static void *thread(void *unused)
{
    for (int k = 0; k < 40; k += 13)
        leave(k, 1);
    return unused;
}

int main(void)
{
    /* Past the thirty-second key, setting a value allocates. */
    for (int k = 0; k < 40; k++)
        CHECK(pthread_key_create(&key[k], end_of_thread) == 0);
    for (int i = 0; i < 200; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(rounds_seen >= PTHREAD_DESTRUCTOR_ITERATIONS);
    /* Every key that there can be: whatever the heap keeps for itself must do without more. */
    pthread_key_t all;
    int count = 0;
    while (pthread_key_create(&all, free) == 0)
        count++;
    CHECK(count > PTHREAD_KEYS_MAX - 60);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    left_from_main = malloc(5000);
    fill(left_from_main, 5000, 7);
    CHECK(atexit(at_exit) == 0);
    return 0;
}
