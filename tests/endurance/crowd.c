/* A crowd of threads that take, resize, pass on and free blocks of all sizes, end at any moment and
 * are followed by others. Every block is full of one byte and looked through before it goes. At the
 * end the heap is sound, nothing is left, and memory is back at the bound.
 *
 * crowd SECONDS SEED */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "hmm_by_name.h"

enum { THREADS = 64, SLOTS = 2048, MOST = 600 };

struct block {
    unsigned char *p;
    size_t size;
    unsigned char with;
};

/* A block that lies here belongs to whoever takes it next. It tells its own size and byte. */
struct parcel {
    size_t size;
    unsigned char with;
    unsigned char rest[];
};

struct life {
    uint64_t random;
    size_t count;
    struct block block[MOST];
};

static _Atomic(struct parcel *) slot[SLOTS];
static pthread_key_t last_words;
static pthread_t thread[THREADS];
static struct life life[THREADS];
static time_t start, seconds;
static atomic_ulong taken, passed, resized;

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* How many blocks a thread may have: the crowd's memory comes and goes by a factor of eight. */
static size_t tide(void)
{
    static const size_t eighths[] = {8, 1, 4, 8, 2, 1, 6, 1};
    return MOST / 8 * eighths[(size_t)(now() - start) % 8];
}

static size_t wanted(uint64_t *random)
{
    return next_random(random) % 2000 == 0 ? next_random(random) % (8 * MIB) : some_size(random);
}

static void put_back(struct block b)
{
    CHECK(holds(b.p, b.size, b.with));
    free(b.p);
}

static struct block take(struct life *l)
{
    uint64_t how = next_random(&l->random);
    struct block b = {NULL, wanted(&l->random), (unsigned char)(how >> 32)};
    size_t align = (size_t)1 << (how >> 8) % 15;
    switch (how % 16) {
    case 0:
        b.p = calloc(1, b.size);
        CHECK(b.p != NULL && holds(b.p, b.size, 0));
        break;
    case 1:
        b.p = memalign(OPAQUE(align), b.size);
        CHECK(is_aligned(b.p, align));
        break;
    default:
        b.p = malloc(b.size);
    }
    CHECK(b.p != NULL && is_aligned(b.p, 16));
    fill(b.p, b.size, b.with);
    atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
    return b;
}

static void resize(struct life *l, struct block *b)
{
    size_t size = wanted(&l->random);
    b->p = realloc(b->p, size);
    CHECK(b->p != NULL && holds(b->p, size < b->size ? size : b->size, b->with));
    b->size = size;
    fill(b->p, size, b->with);
    atomic_fetch_add_explicit(&resized, 1, memory_order_relaxed);
}

static void open_parcel(struct parcel *parcel)
{
    if (parcel == NULL)
        return;
    CHECK(holds(parcel->rest, parcel->size, parcel->with));
    free(parcel);
}

/* Leaves a parcel for anyone, and frees the one that lay there: mostly another thread's. */
static void pass_on(struct life *l)
{
    size_t size = wanted(&l->random);
    struct parcel *parcel = malloc(sizeof *parcel + size);
    CHECK(parcel != NULL);
    parcel->size = size;
    parcel->with = (unsigned char)next_random(&l->random);
    fill(parcel->rest, size, parcel->with);
    open_parcel(atomic_exchange(&slot[next_random(&l->random) % SLOTS], parcel));
    atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
}

/* Runs when the thread's own destructors do: allocates, frees, and passes on once more. */
static void say_last_words(void *arg)
{
    struct life *l = arg;
    pass_on(l);
    while (l->count > 0)
        put_back(l->block[--l->count]);
}

static void *live(void *arg)
{
    struct life *l = arg;
    CHECK(pthread_setspecific(last_words, l) == 0);
    size_t most = tide();
    for (uint64_t steps = next_random(&l->random) % 40000; steps > 0; steps--) {
        uint64_t what = next_random(&l->random) % 16;
        size_t at = l->count > 0 ? next_random(&l->random) % l->count : 0;
        if (steps % 1024 == 0) {
            most = tide();
            if (now() - start >= seconds)
                break;
        }
        if (what < 2)
            pass_on(l);
        else if (what < 4 && l->count > 0)
            resize(l, &l->block[at]);
        else if (l->count < most && (what < 11 || l->count == 0))
            l->block[l->count++] = take(l);
        else {
            put_back(l->block[at]);
            l->block[at] = l->block[--l->count];
            while (l->count > most)
                put_back(l->block[--l->count]);
        }
    }
    return NULL;
}

static void begin(size_t seat)
{
    CHECK(pthread_create(&thread[seat], NULL, live, &life[seat]) == 0);
}

/* What swung with the tide is forgotten when up to 175 times as much was freed, says docs/memory.md; by
 * rounds that are no swing themselves, for they stay below the 8 MiB that may always be kept, and of
 * sizes that no thread remembers them by. */
static void forget_the_tide(size_t peak)
{
    enum { BLOCKS = 60 };
    static void *block[BLOCKS];
    uint64_t random = 1;
    for (size_t freed = 0; freed < 180 * peak;) {
        for (int i = 0; i < BLOCKS; i++) {
            size_t size = 1 * KIB + next_random(&random) % (127 * KIB);
            CHECK((block[i] = malloc(size)) != NULL);
            freed += size;
        }
        for (int i = 0; i < BLOCKS; i++)
            free(block[i]);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    seconds = (time_t)strtoul(argv[1], NULL, 10);
    uint64_t seed = strtoull(argv[2], NULL, 10);
    CHECK(pthread_key_create(&last_words, say_last_words) == 0);
    start = now();
    for (size_t seat = 0; seat < THREADS; seat++) {
        life[seat].random = seed * THREADS + seat;
        begin(seat);
    }
    size_t lives = THREADS, peak = 0, heaps = 0;
    for (size_t left = THREADS; left > 0;) {
        for (size_t seat = 0; seat < THREADS; seat++)
            if (thread[seat] != 0 && pthread_tryjoin_np(thread[seat], NULL) == 0) {
                CHECK(life[seat].count == 0);
                thread[seat] = 0;
                if (now() - start < seconds) {
                    begin(seat);
                    lives++;
                } else {
                    left--;
                }
            }
        size_t here = resident();
        peak = here > peak ? here : peak;
        usleep(1000);
    }
    for (size_t i = 0; i < SLOTS; i++)
        open_parcel(slot[i]);
    hmm_is_sound();
    heaps = hmm_stats().heaps;
    CHECK(heaps <= THREADS + 2);

    forget_the_tide(peak);
    struct HmmStatistics end = hmm_stats();
    fprintf(stderr, "%zu lives on %zu heaps: %lu blocks, %lu passed on, %lu resized\n", lives, heaps,
        taken, passed, resized);
    fprintf(stderr, "%zu MiB at most; at the end %zu KiB resident, %zu allocated, %zu metadata\n", peak / MIB,
        end.resident / KIB, end.allocated / KIB, end.metadata / KIB);
    CHECK(end.allocated < 1 * MIB);
    CHECK(end.resident <= end.metadata + 12 * MIB);
    hmm_trim();
    end = hmm_stats();
    CHECK(end.resident <= end.metadata + 2 * MIB);
    hmm_is_sound();
    return ok();
}
