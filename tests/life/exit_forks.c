/* A library that is finalised after HMM, or after the program that HMM is linked with, forks then, among busy threads;
 * its children allocate.
 *
 * exit_forks LIBRARY */
#include <dlfcn.h>
#include <pthread.h>
#include "check.h"

enum { THREADS = 4, KEPT = 300 };

static void *busy(void *number)
{
    uint64_t random = (uintptr_t)number;
    char *kept[KEPT] = {0};
    for (;;) {
        size_t k = next_random(&random) % KEPT;
        free(kept[k]);
        CHECK((kept[k] = malloc(1 + next_random(&random) % 400000)) != NULL);
        kept[k][0] = 1;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 && dlopen(argv[1], RTLD_NOW) != NULL);
    for (uintptr_t t = 0; t < THREADS; t++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, busy, (void *)t) == 0);
    }
    usleep(20000);
    return 0;
}
