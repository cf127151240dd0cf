/*
 * HMM, a heap memory manager.
 *
 * These functions serve beside the C library's malloc. In a program that runs
 * on libhmm.so (preloaded or linked) or with libhmm.a, malloc and its family
 * are HMM's too, and blocks of the one family may be freed by the other.
 *
 * All functions may be called from any thread.
 *
 * Made from hmm-preload/src/hmm.rs by cbindgen; do not edit.
 */

#ifndef HMM_H
#define HMM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For HmmSetOption(): what the heap may hold, in bytes, as for HmmSetLimit().
 */
#define HMM_OPTION_LIMIT 1

/**
 * For HmmSetOption(): how much free memory the heap may keep, in bytes; 0 for
 * none, SIZE_MAX for the rule by which it begins: 8 MiB, an eighth of what is in
 * use, or what the program took again lately of what had been given back,
 * whichever is the most.
 */
#define HMM_OPTION_KEEP 2

/**
 * For HmmSetOption(): 1 to ask for huge pages behind whatever is added to a heap
 * of 32 MiB and more; 0 to have no more of them, also behind what the heap has
 * already (huge pages that are there stay until their memory goes back); 1 after
 * 0 to ask for them behind all of the heap. As it begins, they are made one at a
 * time, for small blocks that fill much memory.
 */
#define HMM_OPTION_HUGE_PAGES 3

/**
 * For HmmSetOption(): 1 to have signals wait while the heap's lists are changed,
 * so that handlers may leave by `siglongjmp`; 0, as it begins, not to.
 */
#define HMM_OPTION_HOLD_SIGNALS 4

/**
 * The state of the whole heap at one moment, as HmmStats() finds it.
 *
 * The heap is made of pages of 64 KiB. Small blocks share pages, large ones
 * have pages for themselves.
 */
typedef struct HmmStatistics {
    /**
     * Bytes in live blocks, as far as these may be used.
     */
    size_t allocated;
    /**
     * Bytes of the pages that hold live blocks or are kept ready for some.
     */
    size_t active;
    /**
     * Bytes of physical memory that the heap takes up, as the kernel says. If it
     * does not say: `held`.
     */
    size_t resident;
    /**
     * Bytes that count for a limit: active pages, free ones that may hold
     * memory, and metadata.
     */
    size_t held;
    /**
     * Bytes of address space that the heap has got from the system.
     */
    size_t mapped;
    /**
     * Bytes of free pages whose memory the system has.
     */
    size_t retained;
    /**
     * Bytes of HMM's own tables, which lie outside the blocks.
     */
    size_t metadata;
    /**
     * Number of live blocks.
     */
    size_t blocks;
    /**
     * Number of free blocks in pages that blocks share.
     */
    size_t free_blocks;
    /**
     * Number of live large blocks.
     */
    size_t large_blocks;
    /**
     * Bytes in live large blocks.
     */
    size_t large_bytes;
    /**
     * Number of free pages.
     */
    size_t free_pages;
    /**
     * Bytes of free pages at the top of the heap.
     */
    size_t top_free;
    /**
     * Bytes of the heap that come from the program break.
     */
    size_t brk_bytes;
    /**
     * Bytes of the heap that come from the reserve, a mapping that takes over
     * where the break is refused, or is another `malloc`'s.
     */
    size_t reserve_bytes;
    /**
     * Number of threads' heaps made so far. Those of ended threads are taken
     * over by new ones.
     */
    size_t heaps;
} HmmStatistics;

/**
 * Allocates a block of memory.
 *
 * Blocks of 16 bytes and more suit `max_align_t`. A size of 0 gives a unique
 * block, to be freed like any other.
 *
 * @param size  How many bytes are wanted.
 * @return The block, or NULL with `errno` ENOMEM when there is no memory.
 */
void *HmmAlloc(size_t size);

/**
 * Takes back a block.
 *
 * Keeps `errno`. A pointer that is not a live block (one that was never
 * allocated, points inside a block or was freed before) ends the program with
 * a line on standard error that says what was wrong.
 *
 * @param block  A live block, not to be used after this; or NULL, which does
 *               nothing.
 */
void HmmFree(void *block);

/**
 * Allocates a zeroed block for an array.
 *
 * @param count  How many elements it has.
 * @param size   How many bytes an element takes.
 * @return The block, or NULL with `errno` ENOMEM when there is no memory or
 *         the product overflows.
 */
void *HmmCalloc(size_t count, size_t size);

/**
 * Resizes a block, in place where that is possible.
 *
 * HmmRealloc(NULL, n) is HmmAlloc(n), also where n is 0; else HmmRealloc(p, 0)
 * frees p and returns NULL. Misuse ends the program, as that of HmmFree() does.
 *
 * @param block  A live block, whose old address is not to be used after
 *               success; or NULL.
 * @param size   How many bytes are wanted. Those that the old and the new
 *               block have in common keep their values.
 * @return The block, or NULL with `errno` ENOMEM when there is no memory; the
 *         old block then stays as it was.
 */
void *HmmRealloc(void *block, size_t size);

/**
 * Allocates a block at a multiple of a power of two.
 *
 * @param alignment  A power of two; it may exceed a page.
 * @param size       How many bytes are wanted, not necessarily a multiple of
 *                   the alignment.
 * @return The block, or NULL with `errno` EINVAL when the alignment is no
 *         power of two, ENOMEM when there is no memory.
 */
void *HmmAlignedAlloc(size_t alignment, size_t size);

/**
 * Tells how much of a block may be used. Misuse ends the program, as that of
 * HmmFree() does.
 *
 * @param block  A live block, or NULL.
 * @return How many bytes may be used, at least as many as were requested; 0
 *         for NULL.
 */
size_t HmmUsableSize(const void *block);

/**
 * Counts the heap through.
 *
 * It walks over every page: made for a look now and then.
 *
 * @param out  Where the figures go; not NULL.
 */
void HmmStats(struct HmmStatistics *out);

/**
 * Gives all free memory back to the system, now, but for what other threads have
 * at that moment: each keeps what is free in its own slabs, within the bound.
 *
 * There is seldom need for it: what is free beyond a bound goes back by itself.
 *
 * @return 1 if some was given back, be it addresses alone, 0 if there was none.
 */
int HmmTrim(void);

/**
 * Limits what the heap holds.
 *
 * Pages in use count, free ones that hold memory, and HMM's own tables. Beyond
 * the limit allocations fail, after everything that is free was given back. A
 * heap that holds more already gets no more until it holds less.
 *
 * @param bytes  The limit; SIZE_MAX for none.
 */
void HmmSetLimit(size_t bytes);

/**
 * Changes a setting. The environment sets the same at the start: `HMM_LIMIT`,
 * `HMM_KEEP`, `HMM_HUGE_PAGES` and `HMM_HOLD_SIGNALS`.
 *
 * @param option  One of the constants HMM_OPTION_...
 * @param value   What it is set to.
 * @return 0, or EINVAL if there is no such option or it cannot have that value.
 */
int HmmSetOption(int option, size_t value);

/**
 * Checks every invariant of the heap.
 *
 * @return 0 when all hold; otherwise not 0, and a line on standard error says
 *         which does not.
 */
int HmmCheck(void);

#ifdef __cplusplus
}
#endif

#endif /* HMM_H */
