/* A block of another thread's is freed twice. Until that has ended the program, no live block is handed out again: a
 * reporter of crashes allocates in its handler. */
#include <pthread.h>
#include <signal.h>

#include "check.h"

enum { BLOCKS = 64, TWICE = 10, MORE = 3000 };

static char *block[BLOCKS];
static size_t size;

static void *make(void *unused)
{
    for (int i = 0; i < BLOCKS; i++)
        memset(block[i] = malloc(size), 'L', size);
    return unused;
}

static void report(int signal)
{
    (void)signal;
    for (int i = 0; i < MORE; i++) {
        char *mine = malloc(size);
        for (int k = 0; k < BLOCKS; k++)
            if (mine == block[k] && k != TWICE)
                CHECK(!"a live block was handed out again");
    }
    _exit(3);
}

int main(int count, char **argument)
{
    size = count > 1 ? strtoul(argument[1], NULL, 10) : 48;
    signal(SIGABRT, report);
    pthread_t thread;
    pthread_create(&thread, NULL, make, NULL);
    pthread_join(thread, NULL);
    free(block[TWICE]);
    free(OPAQUE(block[TWICE]));
    return 0;
}
