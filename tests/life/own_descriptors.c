/* The program's descriptors are its own: while one thread takes zeroed blocks and lets them grow, another opens files. It gets
 * the lowest number each time, and nobody closes what it opened, though it closed all numbers before, as daemons do. */
#include <pthread.h>
#include <stdatomic.h>
#include "check.h"

enum { SIZE = 4 << 20, GROWN = 9 << 20 };

static atomic_int over;

static void *grows(void *unused)
{
    (void)unused;
    long turns = 0;
    for (; !over; turns++) {
        char *p = calloc(1, SIZE);
        CHECK(p != NULL);
        for (size_t at = 0; at < SIZE; at += 4096) {
            CHECK(p[at] == 0);
            p[at] = 1;
        }
        CHECK((p = realloc(p, GROWN)) != NULL && p[SIZE - 4096] == 1);
        free(p);
    }
    return (void *)turns;
}

int main(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, grows, NULL) == 0);
    int times = rounds(3000);
    for (int i = 0; i < times; i++) {
        usleep(100);
        for (int number = 3; number < 10; number++)
            close(number);
        int file = open("/dev/zero", O_RDONLY);
        CHECK(file == 3);
        usleep(200);
        char byte;
        CHECK(read(file, &byte, 1) == 1 && close(file) == 0);
        CHECK(close(0) == 0 && open("/dev/null", O_RDONLY) == 0);
    }
    over = 1;
    void *turns;
    CHECK(pthread_join(thread, &turns) == 0 && turns != NULL);
    return ok();
}
