/* Forks while threads begin and end: a child takes over what those had that stayed behind, and loses none of it. */
#include <pthread.h>
#include <stdatomic.h>
#include "children.h"

enum { SPAWNERS = 2, VISITORS = 4, SIZES = 64, EACH = 4, VISITS = 3 };

static atomic_int is_over;

static void *visits(void *unused)
{
    (void)unused;
    void *block[SIZES * EACH];
    for (size_t visit = 1; visit <= VISITS; visit++) {
        for (size_t i = 0; i < SIZES * EACH; i++) {
            size_t size = 24 * visit * (i / EACH + 1) * (i / EACH % 5 + 1);
            CHECK((block[i] = malloc(size)) != NULL);
        }
        for (size_t i = 0; i < SIZES * EACH; i++)
            free(block[i]);
    }
    return NULL;
}

static void *spawns(void *unused)
{
    (void)unused;
    while (!is_over) {
        pthread_t visitor[VISITORS];
        for (int i = 0; i < VISITORS; i++)
            CHECK(pthread_create(&visitor[i], NULL, visits, NULL) == 0);
        for (int i = 0; i < VISITORS; i++)
            CHECK(pthread_join(visitor[i], NULL) == 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t spawner[SPAWNERS];
    for (int i = 0; i < SPAWNERS; i++)
        CHECK(pthread_create(&spawner[i], NULL, spawns, NULL) == 0);
    children_are_sound(800);
    is_over = 1;
    for (int i = 0; i < SPAWNERS; i++)
        CHECK(pthread_join(spawner[i], NULL) == 0);
    return ok();
}
