/* A module whose constructor waits for a thread of the program, for `loader.cc` to load. */
#include <pthread.h>

extern volatile int waiting;
extern pthread_t worker;

__attribute__((constructor)) static void loaded(void)
{
    __atomic_store_n(&waiting, 1, __ATOMIC_RELEASE);
    pthread_join(worker, NULL);
}
