// Loops whose instructions are counted: what one round takes is the difference between a long
// run and a short one.
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void **blocks;
static long rounds;

static void *free_all(void *unused)
{
    (void)unused;
    // A thread of this heap's, like most that free.
    void *own = malloc(1);
    __asm__ volatile("" : : "r"(own) : "memory");
    free(own);
    for (long i = 0; i < rounds; i++)
        free(blocks[i]);
    return NULL;
}

// Takes a block and frees it, while another of its size lives.
static void pair(size_t size)
{
    void *other = malloc(size);
    for (long i = 0; i < rounds; i++) {
        void *block = malloc(size);
        __asm__ volatile("" : : "r"(block) : "memory");
        free(block);
    }
    free(other);
}

// As `pair`, of this size and half of it in turns.
static void turns(size_t size)
{
    for (long i = 0; i < rounds; i++) {
        void *block = malloc(size >> (i & 1));
        __asm__ volatile("" : : "r"(block) : "memory");
        free(block);
    }
}

// Takes 32 blocks and frees them, the last one first. A round is a block.
static void stack(size_t size)
{
    void *block[32];
    for (long i = 0; i < rounds / 32; i++) {
        for (int j = 0; j < 32; j++)
            block[j] = malloc(size);
        __asm__ volatile("" : : "r"(block) : "memory");
        for (int j = 31; j >= 0; j--)
            free(block[j]);
    }
}

// As `pair`, of blocks at multiples of 64.
static void aligned(size_t size)
{
    void *other = aligned_alloc(64, size);
    for (long i = 0; i < rounds; i++) {
        void *block = aligned_alloc(64, size);
        __asm__ volatile("" : : "r"(block) : "memory");
        free(block);
    }
    free(other);
}

// Takes a block and has it resized to so many bytes.
static void resized(size_t size, size_t to)
{
    void *others[] = {malloc(size), malloc(to)};
    for (long i = 0; i < rounds; i++) {
        void *block = malloc(size);
        __asm__ volatile("" : : "r"(block) : "memory");
        free(realloc(block, to));
    }
    free(others[0]);
    free(others[1]);
}

// As `pair`, of zeroed blocks.
static void zeroed(size_t size)
{
    void *other = malloc(size);
    for (long i = 0; i < rounds; i++) {
        void *block = calloc(1, size);
        __asm__ volatile("" : : "r"(block) : "memory");
        free(block);
    }
    free(other);
}

// Asks blocks how much of them may be used.
static void usable(size_t size)
{
    char *block[16];
    for (int i = 0; i < 16; i++)
        block[i] = malloc(size);
    for (long i = 0; i < rounds; i++)
        if (malloc_usable_size(block[i % 16]) < size)
            abort();
    for (int i = 0; i < 16; i++)
        free(block[i]);
}

// Resizes a block that stays where it is, in a slab that has no room left.
static void stay(size_t size)
{
    char *block = malloc(size);
    for (size_t taken = 0; taken < 256 * 1024; taken += size)
        *(char *)malloc(size) = 1;
    for (long i = 0; i < rounds; i++)
        block = realloc(block, size - (size_t)(i & 1));
    free(block);
}

// Takes blocks, which another thread frees if `remote` says so, and nobody otherwise.
static void hand_over(size_t size, int remote)
{
    blocks = malloc((size_t)rounds * sizeof *blocks);
    for (long i = 0; i < rounds; i++)
        blocks[i] = malloc(size);
    if (remote) {
        pthread_t other;
        pthread_create(&other, NULL, free_all, NULL);
        pthread_join(other, NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    size_t size = strtoul(argv[2], NULL, 10);
    rounds = strtol(argv[3], NULL, 10);
    if (strcmp(argv[1], "pair") == 0)
        pair(size);
    else if (strcmp(argv[1], "turns") == 0)
        turns(size);
    else if (strcmp(argv[1], "stack") == 0)
        stack(size);
    else if (strcmp(argv[1], "aligned") == 0)
        aligned(size);
    else if (strcmp(argv[1], "stay") == 0)
        stay(size);
    else if (strcmp(argv[1], "grow") == 0)
        resized(size, 2 * size);
    else if (strcmp(argv[1], "shrink") == 0)
        resized(size, size / 3);
    else if (strcmp(argv[1], "zeroed") == 0)
        zeroed(size);
    else if (strcmp(argv[1], "usable") == 0)
        usable(size);
    else
        hand_over(size, strcmp(argv[1], "remote") == 0);
    return 0;
}
