/* Forks while other threads are inside the heap and inside stdio: every child finds a heap that
 * works, whatever the others were at; it frees what they had, starts threads, and forks again. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "check.h"
#include "hmm.h"

/* There under all names that the library is known by. */
#pragma weak HmmStats
#pragma weak HmmCheck

/* Children whose threads found no heap to take over, and the exit code that says so. */
static int made;
enum { MADE = 7 };

/* The first thread, the busy ones, one that prints, and one that forks. */
enum { BUSY = 8, THREADS = BUSY + 3, FORKS = 40, SHARED = 500 };

static atomic_int stop;
static char *_Atomic shared[SHARED];

static void *busy(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    char *kept[64] = {0};
    while (!stop) {
        size_t at = next_random(&random) % 64, size = some_size(&random);
        if (next_random(&random) % 3)
            CHECK((kept[at] = realloc(kept[at], size)) != NULL);
        else {
            free(kept[at]);
            CHECK((kept[at] = calloc(1, size)) != NULL);
        }
        free(atomic_exchange(&shared[next_random(&random) % SHARED], strdup("shared")));
    }
    for (int i = 0; i < 64; i++)
        free(kept[i]);
    return NULL;
}

/* Holds stdio's locks much of the time, and allocates while it does. */
static void *prints(void *unused)
{
    while (!stop) {
        char *text;
        size_t size;
        FILE *memory = open_memstream(&text, &size);
        CHECK(memory != NULL);
        for (int i = 0; i < 200; i++)
            fprintf(memory, "%0*d", i, i);
        fclose(memory);
        free(text);
    }
    return unused;
}

/* Other code's handlers allocate too. */
static void *in_handler[3];
static void prepare(void) { free(in_handler[0]); in_handler[0] = malloc(200); }
static void parent(void) { free(in_handler[1]); in_handler[1] = malloc(5000); }
static void child(void) { free(in_handler[2]); in_handler[2] = malloc(100000); }

static void use_heap(uint64_t seed)
{
    uint64_t random = seed;
    char *p[100] = {0};
    size_t size[100] = {0};
    for (int i = 0; i < 1000; i++) {
        size_t at = next_random(&random) % 100;
        CHECK(holds(p[at], size[at], (unsigned char)at));
        size[at] = some_size(&random);
        CHECK((p[at] = realloc(p[at], size[at])) != NULL);
        fill(p[at], size[at], (unsigned char)at);
    }
    for (int i = 0; i < 100; i++)
        free(p[i]);
}

/* How many threads' heaps there are. */
static size_t heaps(void)
{
    HmmStatistics statistics;
    HmmStats(&statistics);
    return statistics.heaps;
}

static void *in_child(void *arg)
{
    use_heap((uint64_t)(uintptr_t)arg);
    return NULL;
}

static void is_child(int n)
{
    /* The parent's waiting would tell no hang from slowness. */
    signal(SIGALRM, SIG_DFL);
    alarm(30);
    use_heap((uint64_t)n);
    for (int i = 0; i < SHARED; i += 2)
        free(atomic_exchange(&shared[i], NULL));
    if (n % 5 == 0) {
        pthread_t thread[2];
        size_t before = heaps();
        for (uintptr_t t = 0; t < 2; t++)
            CHECK(pthread_create(&thread[t], NULL, in_child, (void *)t) == 0);
        for (int t = 0; t < 2; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
        /* Theirs are heaps of the threads that stayed behind, but for those that were being changed. */
        if (heaps() > before)
            _exit(MADE);
    }
    if (n % 7 == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            use_heap(9);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    if (n % 50 == 0)
        exit(0);
    _exit(0);
}

static void *forks(void *arg)
{
    for (int n = 1; n <= rounds(FORKS); n++) {
        pid_t pid = n % 20 == 3 ? _Fork() : fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            /* After `_Fork` no handler ran: only what is safe in a signal handler may be done. */
            if (n % 20 == 3)
                _exit(0);
            is_child(n);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        made += WIFEXITED(status) && WEXITSTATUS(status) == MADE;
        CHECK(status == 0 || status == MADE << 8);
        use_heap((uint64_t)n);
    }
    return arg;
}

int main(void)
{
    CHECK(pthread_atfork(prepare, parent, child) == 0);
    pthread_t thread[BUSY + 1], forker;
    for (uintptr_t t = 0; t < BUSY; t++)
        CHECK(pthread_create(&thread[t], NULL, busy, (void *)(t + 1)) == 0);
    CHECK(pthread_create(&thread[BUSY], NULL, prints, NULL) == 0);
    forks(NULL);
    /* And from a thread that is not the first. */
    CHECK(pthread_create(&forker, NULL, forks, NULL) == 0);
    CHECK(pthread_join(forker, NULL) == 0);
    stop = 1;
    for (int t = 0; t <= BUSY; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    CHECK(heaps() <= THREADS);
    CHECK(made * 5 < rounds(FORKS));
    CHECK(HmmCheck() == 0);
    return ok();
}
