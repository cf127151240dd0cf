//! Every misuse is caught at once, and told in one line: what, which pointer, which block. Then
//! the process ends by SIGABRT. One tiny program per misuse, by preload and linked with HMM.

use std::os::unix::process::ExitStatusExt;

use hmm_tests::{Outcome, Source, Way};

/// What a C program here starts with. `bad` tells the pointer that the next call misuses, so that
/// the line can be held to it (without streams, whose buffer could come to lie where the block was); `keep` keeps a pointer from the compiler, which would warn.
const PRELUDE: &str = r#"
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include "check.h"
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);
static void *keep(void *p) { return OPAQUE(p); }
static void *bad(void *p) {
    char text[32];
    return write(1, text, snprintf(text, sizeof text, "%p\n", p)) > 0 ? OPAQUE(p) : NULL;
}
static void *frees(void *p) { free(p); return NULL; }
static void in_thread(void *(*f)(void *), void *p) {
    pthread_t t; pthread_create(&t, NULL, f, p); pthread_join(t, NULL);
}
int global[64];
int main(void) {
    (void)keep; (void)bad; (void)frees; (void)in_thread;
    char *p = NULL, *q = NULL; (void)p; (void)q;
"#;

/// What a C++ program here starts with.
const PRELUDE_CXX: &str = r#"
#include <new>
#include "check.h"
static void *bad(void *p) {
    char text[32];
    return write(1, text, snprintf(text, sizeof text, "%p\n", p)) > 0 ? OPAQUE(p) : NULL;
}
struct Small { char bytes[40]; };
struct alignas(64) Wide { char bytes[256]; };
int main() {
"#;

const DYNAMIC: &[Way] = &[Way::Preload, Way::Archive];
const LINKED: &[Way] = &[Way::Shared, Way::Archive];

/// The programs: a name, the ways to run it, the code, and what the line may say: kind and detail,
/// in which `#` stands for a page's number. Several lines are given where the heap may have
/// merged the pages by the time of the misuse, and no longer knows more.
macro_rules! misuses {
    ($prelude:expr, $name_of_file:literal: $(
        $name:ident, $ways:expr, $code:literal => $($line:literal)|+;
    )*) => {
        $(
            #[test]
            fn $name() {
                caught($name_of_file, $prelude, $ways, $code, &[$($line),+]);
            }
        )*
    };
}

misuses! { PRELUDE, "misuse.c":
    double_free_small, DYNAMIC, "p = malloc(48); q = malloc(48); free(p); free(bad(p));"
        => "double free (48-byte block, page #)";
    double_free_only_block, DYNAMIC, "p = malloc(1008); free(p); free(bad(p));"
        => "double free (1024-byte block, page #)"
        | "invalid free (no block there, page #)";
    double_free_later, DYNAMIC,
        "char *all[1000];
         for (int i = 0; i < 1000; i++) all[i] = malloc(100);
         for (int i = 0; i < 1000; i += 2) free(all[i]);
         for (int i = 0; i < 100; i++) malloc(3000);
         free(bad(all[500]));"
        => "double free (112-byte block, page #)";
    double_free_medium, DYNAMIC,
        "p = malloc(40000); q = malloc(40000); free(p); free(bad(p));"
        => "double free (40960-byte block, page #)";
    double_free_large, DYNAMIC, "p = malloc(1 << 20); q = malloc(1 << 20); free(p); free(bad(p));"
        => "double free (large block, page #)" | "invalid free (no block there, page #)"
        | "double free (no block there, page #)";
    double_free_large_at_the_top, DYNAMIC, "p = malloc(1 << 20); free(p); free(bad(p));"
        => "double free (large block, page #)" | "invalid free (no block there, page #)"
        | "double free (no block there, page #)" | "foreign free (not from this heap)";
    double_free_by_another_thread, DYNAMIC,
        "p = malloc(48); q = malloc(48); in_thread(frees, p); free(bad(p));"
        => "double free (48-byte block, page #)";
    double_free_in_another_thread, DYNAMIC,
        "p = malloc(48); q = malloc(48); free(p); in_thread(frees, bad(p));"
        => "double free (48-byte block, page #)";
    double_free_from_two_threads, DYNAMIC,
        "p = malloc(48); q = malloc(48); in_thread(frees, p); in_thread(frees, bad(p));"
        => "double free (48-byte block, page #)";
    double_free_medium_by_another_thread, DYNAMIC,
        "p = malloc(40000); q = malloc(40000); in_thread(frees, p); free(bad(p));"
        => "double free (40960-byte block, page #)";
    double_free_of_an_ended_threads_block, DYNAMIC,
        "void *give(void *out) { *(void **)out = malloc(48); malloc(48); return NULL; }
         in_thread(give, &p); free(p); free(bad(p));"
        => "double free (48-byte block, page #)";
    double_free_of_a_block_from_shared_slabs, DYNAMIC,
        "pthread_barrier_t ready; pthread_barrier_init(&ready, NULL, 25);
         void *rest(void *unused) { free(malloc(1)); pthread_barrier_wait(&ready); pause(); return unused; }
         for (int i = 0; i < 24; i++) pthread_create(&(pthread_t){0}, NULL, rest, NULL);
         pthread_barrier_wait(&ready);
         void *give(void *out) { *(void **)out = malloc(48); malloc(48); return NULL; }
         in_thread(give, &p); free(p); free(bad(p));"
        => "double free (64-byte block, page #)";
    double_free_of_what_a_thread_borrowed, DYNAMIC,
        "pthread_barrier_t ready; pthread_barrier_init(&ready, NULL, 31);
         void *rest(void *unused) { free(malloc(1)); pthread_barrier_wait(&ready); pause(); return unused; }
         for (int i = 0; i < 30; i++) pthread_create(&(pthread_t){0}, NULL, rest, NULL);
         pthread_barrier_wait(&ready);
         void *twice(void *unused) {
             char *all[4];
             for (int i = 0; i < 4; i++) all[i] = malloc(320);
             free(all[1]); free(all[2]);
             char *next = malloc(320);
             free(bad(next == all[1] ? all[2] : all[1]));
             return unused;
         }
         in_thread(twice, NULL);"
        => "double free (320-byte block, page #)";
    double_free_of_what_comes_next, DYNAMIC,
        // More than are remembered, and than were left of the word that came last: what is
        // behind the last one was in use before, is free, and no more in the bitmap.
        "char *all[1000];
         for (int i = 0; i < 1000; i++) all[i] = malloc(48);
         for (int i = 0; i < 1000; i++) free(all[i]);
         for (int i = 0; i < 130; i++) q = malloc(48);
         free(bad(q + 48));"
        => "double free (48-byte block, page #)";
    double_free_of_what_was_freed_last_and_comes_next, DYNAMIC,
        "static char *all[64];
         for (int i = 0; i < 64; i++) all[i] = malloc(48);
         free(all[14]); p = malloc(48);
         void *others(void *unused) { for (int i = 5; i < 15; i++) free(all[i]); return unused; }
         in_thread(others, NULL);
         for (int i = 0; i < 64 && q != all[5]; i++) q = malloc(48);
         free(bad(p));"
        => "double free (48-byte block, page #)";
    double_free_sized_of_what_comes_next, LINKED,
        "for (int i = 0; i < 10; i++) q = malloc(48);
         free_sized(bad(q + 48), 48);"
        => "double free (48-byte block, page #)";
    double_free_of_what_comes_next_medium, DYNAMIC, "p = malloc(40000); free(bad(p + 40960));"
        => "double free (40960-byte block, page #)";
    double_free_of_what_was_taken_last_and_comes_next_medium, DYNAMIC,
        "static char *all[8];
         for (int i = 0; i < 8; i++) all[i] = malloc(40000);
         free(all[3]); p = malloc(40000);
         void *others(void *unused) { free(all[2]); free(all[3]); return unused; }
         in_thread(others, NULL);
         q = malloc(40000);
         free(bad(p == q ? all[2] : p));"
        => "double free (40960-byte block, page #)";
    realloc_of_what_comes_next, DYNAMIC, "p = malloc(48); realloc(bad(p + 48), 47);"
        => "double free (48-byte block, page #)";
    realloc_of_what_comes_next_to_more, DYNAMIC, "p = malloc(48); realloc(bad(p + 48), 100);"
        => "double free (48-byte block, page #)";
    realloc_of_what_comes_next_to_little, DYNAMIC, "p = malloc(480); realloc(bad(p + 480), 100);"
        => "double free (480-byte block, page #)";
    realloc_of_what_comes_next_medium, DYNAMIC, "p = malloc(40000); realloc(bad(p + 40960), 40000);"
        => "double free (40960-byte block, page #)";
    usable_size_of_what_comes_next, DYNAMIC, "p = malloc(48); malloc_usable_size(bad(p + 48));"
        => "double free (48-byte block, page #)";
    interior_small, DYNAMIC, "p = malloc(48); free(bad(p + 16));"
        => "invalid free (48-byte block, page #)";
    interior_by_one, DYNAMIC, "p = malloc(48); free(bad(p + 1));"
        => "invalid free (48-byte block, page #)";
    interior_medium, DYNAMIC, "p = malloc(40000); free(bad(p + 4096));"
        => "invalid free (40960-byte block, page #)";
    interior_large, DYNAMIC, "p = malloc(1 << 20); free(bad(p + 65536));"
        => "invalid free (large block, page #)" | "invalid free (no block there, page #)";
    interior_large_by_little, DYNAMIC, "p = malloc(1 << 20); free(bad(p + 16));"
        => "invalid free (large block, page #)";
    interior_by_another_thread, DYNAMIC, "p = malloc(48); in_thread(frees, bad(p + 16));"
        => "invalid free (48-byte block, page #)";
    never_allocated, DYNAMIC,
        // The slots of a page are used from the lowest on: the one after the last is not used yet.
        "for (int i = 0; i < 10; i++) q = malloc(3072);
         free(bad(q + 2 * 3072));"
        => "double free (3072-byte block, page #)" | "invalid free (3072-byte block, page #)";
    never_used_heap, DYNAMIC,
        "p = malloc(3 << 20); q = malloc(16); free(p); free(bad(p + (1 << 20)));"
        => "invalid free (no block there, page #)" | "foreign free (not from this heap)";
    wild, DYNAMIC, "p = malloc(1); free(bad((void *)0x123456789abc0));"
        => "foreign free (not from this heap)";
    wild_low, DYNAMIC, "p = malloc(1); free(bad((void *)0x10));"
        => "foreign free (not from this heap)";
    wild_high, DYNAMIC, "p = malloc(1); free(bad((void *)~(uintptr_t)15));"
        => "foreign free (not from this heap)";
    wild_without_a_heap, DYNAMIC, "free(bad((void *)0x123456789abc0));"
        => "foreign free (not from this heap)";
    stack, DYNAMIC, "int here[64]; free(bad(here));"
        => "foreign free (not from this heap)";
    data, DYNAMIC, "free(bad(global));"
        => "foreign free (not from this heap)";
    literal, DYNAMIC, r#"free(bad(keep("literal")));"#
        => "foreign free (not from this heap)";
    mapping, DYNAMIC,
        "p = malloc(1); free(bad(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));"
        => "foreign free (not from this heap)";
    foreign_break, DYNAMIC,
        "p = malloc(1); q = sbrk(1 << 20); p = malloc(32 << 20); free(bad(q + 65536));"
        => "invalid free (no block there, page #)" | "foreign free (not from this heap)";
    free_after_realloc_moved_it, DYNAMIC,
        "p = malloc(48); q = malloc(48); q = realloc(p, 5000); free(bad(p));"
        => "double free (48-byte block, page #)";
    reallocarray_of_freed_to_too_much, DYNAMIC,
        "p = malloc(48); q = malloc(48); free(p); reallocarray(bad(p), SIZE_MAX, 2);"
        => "double free (48-byte block, page #)" | "invalid free (48-byte block, page #)";
    realloc_of_freed, DYNAMIC,
        "p = malloc(48); q = malloc(48); free(p); realloc(bad(p), 100);"
        => "double free (48-byte block, page #)" | "invalid free (48-byte block, page #)";
    realloc_of_freed_by_another_thread, DYNAMIC,
        "p = malloc(48); q = malloc(48); in_thread(frees, p); realloc(bad(p), 47);"
        => "double free (48-byte block, page #)" | "invalid free (48-byte block, page #)";
    realloc_to_nothing_of_freed, DYNAMIC,
        "p = malloc(48); q = malloc(48); free(p); realloc(bad(p), 0);"
        => "double free (48-byte block, page #)" | "invalid free (48-byte block, page #)";
    realloc_of_interior, DYNAMIC, "p = malloc(48); realloc(bad(p + 16), 100);"
        => "invalid free (48-byte block, page #)";
    realloc_of_foreign, DYNAMIC, "realloc(bad(global), 100);"
        => "foreign free (not from this heap)";
}

misuses! { PRELUDE, "misuse.c":
    free_sized_too_small, LINKED, "p = malloc(100); free_sized(bad(p), 50);"
        => "size mismatch (112-byte block, page #)";
    free_sized_too_large, LINKED, "p = malloc(100); free_sized(bad(p), 200);"
        => "size mismatch (112-byte block, page #)";
    free_sized_medium, LINKED, "p = malloc(40000); free_sized(bad(p), 4000);"
        => "size mismatch (40960-byte block, page #)";
    free_sized_large, LINKED, "p = malloc(1 << 20); free_sized(bad(p), 1 << 21);"
        => "size mismatch (large block, page #)";
    free_sized_at_no_alignment, LINKED, "p = malloc(100); free_aligned_sized(bad(p), 3, 100);"
        => "size mismatch (112-byte block, page #)";
    free_sized_twice, LINKED,
        "p = malloc(100); q = malloc(100); free_sized(p, 100); free_sized(bad(p), 100);"
        => "double free (112-byte block, page #)";
    hmm_free_twice, LINKED,
        "void *HmmAlloc(size_t); void HmmFree(void *);
         p = HmmAlloc(48); q = HmmAlloc(48); HmmFree(p); HmmFree(bad(p));"
        => "double free (48-byte block, page #)";
}

misuses! { PRELUDE_CXX, "misuse.cc":
    delete_sized, DYNAMIC,
        "void *p = ::operator new(40); ::operator delete(bad(p), std::size_t{400});"
        => "size mismatch (48-byte block, page #)";
    delete_array_sized, DYNAMIC,
        "void *p = ::operator new[](4000); ::operator delete[](bad(p), std::size_t{40});"
        => "size mismatch (4096-byte block, page #)";
    delete_as_other_type, DYNAMIC,
        "void *p = new Wide; delete static_cast<Small *>(bad(p));"
        => "size mismatch (256-byte block, page #)";
    delete_twice, DYNAMIC,
        "auto *p = new Small, *q = new Small; delete p; OPAQUE(q); delete static_cast<Small *>(bad(p));"
        => "double free (48-byte block, page #)";
    delete_aligned_sized, DYNAMIC,
        "void *p = ::operator new(128, std::align_val_t{64});
         ::operator delete(bad(p), std::size_t{1280}, std::align_val_t{64});"
        => "size mismatch (128-byte block, page #)";
}

/// A double free by others leaves its neighbours alone, also while the program ends: a handler of its abort allocates.
#[test]
fn a_double_free_harms_no_bystander() {
    let source = Source::file("misuse/bystanders.c");
    for size in ["8", "48", "1000", "20000"] {
        let outcome = source.run(Way::Preload).arg(size).run().exits(3);
        assert_eq!(outcome.stderr.matches("hmm: double free").count(), 1, "{size}: one line is expected:\n{outcome}");
    }
}

/// Compiles and runs the program in each way: it is aborted with one of the lines.
fn caught(file: &str, prelude: &str, ways: &[Way], code: &str, lines: &[&str]) {
    let text = format!("{prelude}\n{code}\nputs(\"survived\"); return 0; }}\n");
    let source = Source::text(file, &text);
    for &way in ways {
        let run = source.run(way).env("HMM_STATS", "0");
        let outcome = run.run();
        assert!(outcome.status.signal() == Some(6), "{way:?}: SIGABRT expected:\n{code}\n{outcome}");
        let pointer = outcome.text().trim_end().to_owned();
        let expected: Vec<String> = lines.iter().map(|line| full(line, &pointer)).collect();
        let told = without_page(&outcome);
        assert!(expected.contains(&told), "{way:?}: one of {expected:?} expected:\n{code}\n{outcome}");
    }
}

/// `what (detail)` with the pointer between them: the line as HMM prints it.
fn full(line: &str, pointer: &str) -> String {
    let (what, detail) = line.split_once(" (").expect("a line has a detail");
    format!("hmm: {what}: {pointer} ({detail}\n")
}

/// Standard error, with the number of the page, which no test can know, as `#`.
fn without_page(outcome: &Outcome) -> String {
    let Some((before, number)) = outcome.stderr.split_once(", page ") else {
        return outcome.stderr.clone();
    };
    let after = number.trim_start_matches(|digit: char| digit.is_ascii_digit());
    assert!(after.len() < number.len(), "a page has a number: {outcome}");
    format!("{before}, page #{after}")
}
