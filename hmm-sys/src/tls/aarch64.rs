//! The thread's word on aarch64: initial-exec, by hand.

use core::arch::{asm, global_asm};

use crate::process::{NOT_YET, Owner};

global_asm!(
    ".pushsection .tdata.hmm_thread_word_0_1,\"awT\",@progbits",
    ".globl hmm_thread_word_0_1",
    ".hidden hmm_thread_word_0_1",
    ".type hmm_thread_word_0_1, @object",
    ".size hmm_thread_word_0_1, 8",
    ".p2align 3",
    "hmm_thread_word_0_1:",
    ".xword {not_yet}",
    ".popsection",
    not_yet = sym NOT_YET,
);

/// The calling thread's word.
#[inline(always)]
pub(crate) fn get() -> &'static Owner {
    let word: *const Owner;
    // SAFETY: loads the word defined above, which every thread has from its
    // start. `pure`: between two reads only `set` changes it.
    unsafe {
        asm!(
            "mrs {base}, tpidr_el0",
            "adrp {word}, :gottprel:hmm_thread_word_0_1",
            "ldr {word}, [{word}, :gottprel_lo12:hmm_thread_word_0_1]",
            "ldr {word}, [{base}, {word}]",
            base = out(reg) _,
            word = out(reg) word,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    // SAFETY: the word names an owner at all times; those are never unmapped.
    unsafe { &*word }
}

/// Sets the calling thread's word.
pub(crate) fn set(word: &'static Owner) {
    let word = core::ptr::from_ref(word);
    // SAFETY: stores to the word defined above.
    unsafe {
        asm!(
            "mrs {base}, tpidr_el0",
            "adrp {place}, :gottprel:hmm_thread_word_0_1",
            "ldr {place}, [{place}, :gottprel_lo12:hmm_thread_word_0_1]",
            "str {word}, [{base}, {place}]",
            base = out(reg) _,
            place = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}
