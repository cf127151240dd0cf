//! What the system allows: page size, memory, address space.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

/// A figure of the system's that is asked for once.
struct Once(AtomicUsize);

impl Once {
    fn get(&self, ask: impl FnOnce() -> usize) -> usize {
        match self.0.load(Relaxed) {
            0 => {
                let value = ask();
                self.0.store(value, Relaxed);
                value
            }
            value => value,
        }
    }
}

static PAGE_SIZE: Once = Once(AtomicUsize::new(0));
static MEMORY: Once = Once(AtomicUsize::new(0));

fn sysconf(name: libc::c_int) -> Option<usize> {
    // SAFETY: always callable. It reads the auxiliary vector or asks the
    // kernel for these names, and allocates nothing.
    usize::try_from(unsafe { libc::sysconf(name) }).ok()
}

/// The operating system's page size in bytes, as it is at run time.
pub fn page_size() -> usize {
    PAGE_SIZE.get(|| sysconf(libc::_SC_PAGESIZE).filter(|n| n.is_power_of_two()).unwrap_or(4096))
}

/// The machine's memory in bytes.
fn memory() -> usize {
    MEMORY.get(|| {
        // SAFETY: all zero is a valid `sysinfo`.
        let mut info: libc::sysinfo = unsafe { core::mem::zeroed() };
        // SAFETY: the kernel fills in the structure, which is ours.
        if unsafe { libc::sysinfo(&raw mut info) } != 0 {
            return 1 << 32;
        }
        (info.totalram as usize).saturating_mul(info.mem_unit as usize).max(1 << 30)
    })
}

/// How much address space one of the heap's ranges may come to use, in bytes:
/// as much as there is memory, or what `RLIMIT_AS` leaves. Tables are sized by
/// it, and are address space themselves: a program may limit its own later.
/// Heaps that are larger but sparse open another range.
pub(crate) fn address_room() -> usize {
    let room = memory();
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills in the structure, which is ours.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) } == 0;
    if known && limit.rlim_cur != libc::RLIM_INFINITY {
        // Not less than this: the limit may be raised later, and a table for
        // so much costs a thousandth of it, in addresses only.
        let limit = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
        return room.min(limit.max(1 << 28));
    }
    room
}
