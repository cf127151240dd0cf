//! The thread's word on x86-64: initial-exec, by hand.

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
    ".quad {not_yet}",
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
            "mov {word}, qword ptr [rip + hmm_thread_word_0_1@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{word}]",
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
            "mov {place}, qword ptr [rip + hmm_thread_word_0_1@GOTTPOFF]",
            "mov qword ptr fs:[{place}], {word}",
            place = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}
