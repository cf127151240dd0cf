//! The global allocator: exactly one feature chooses it.

/// Defines the global allocator if `$feature` is on.
macro_rules! choices {
    ($($feature:literal: $allocator:ty = $value:expr;)+) => {
        $(
            #[cfg(feature = $feature)]
            #[global_allocator]
            static ALLOCATOR: $allocator = $value;
        )+

        #[cfg(not(any($(feature = $feature),+)))]
        compile_error!("choose the allocator by a feature: see Cargo.toml");
    };
}

choices! {
    "hmm": hmm_global::Hmm = hmm_global::Hmm::new();
    "system": std::alloc::System = std::alloc::System;
    "mimalloc": mimalloc::MiMalloc = mimalloc::MiMalloc;
    "mimalloc2": mimalloc::MiMalloc = mimalloc::MiMalloc;
    "snmalloc": snmalloc_rs::SnMalloc = snmalloc_rs::SnMalloc;
    "jemalloc": tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
    "rpmalloc": rpmalloc::RpMalloc = rpmalloc::RpMalloc;
    "dlmalloc": dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
    "talc": Talc = Talc::new(Source::new(std::alloc::System));
    "rlsf": rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();
}

/// Talc takes its memory from the system's allocator by the MiB, which gets that from the kernel.
#[cfg(feature = "talc")]
type Source = talc::source::GlobalAllocSource<std::alloc::System>;
#[cfg(feature = "talc")]
type Talc = talc::TalcLock<spinning_top::RawSpinlock, Source>;
