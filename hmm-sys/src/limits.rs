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
static ADDRESS_ROOM: Once = Once(AtomicUsize::new(0));

/// Asks now what is asked for once: a program may lock itself in later, by a filter that ends it for such
/// questions.
pub(crate) fn begin() {
    page_size();
    address_room();
    moves_across_mappings();
}

fn sysconf(name: libc::c_int) -> Option<usize> {
    // SAFETY: always callable. It reads the auxiliary vector or asks the
    // kernel for these names, and allocates nothing.
    usize::try_from(unsafe { libc::sysconf(name) }).ok()
}

/// The operating system's page size in bytes, as it is at run time. (Where there is but one, nobody is
/// asked: that alone would bring 128 KiB of libc into memory.)
pub fn page_size() -> usize {
    if cfg!(target_arch = "x86_64") {
        return 4096;
    }
    PAGE_SIZE.get(|| sysconf(libc::_SC_PAGESIZE).filter(|n| n.is_power_of_two()).unwrap_or(4096))
}

/// The machine's memory in bytes. (Not asked by libc's function: sanitizers take its place, and allocate before
/// theirs can be called.)
fn memory() -> usize {
    // SAFETY: all zero is a valid `sysinfo`.
    let mut info: libc::sysinfo = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel fills in the structure, which is ours.
    if unsafe { libc::syscall(libc::SYS_sysinfo, &raw mut info) } != 0 {
        return usize::try_from(1_u64 << 32).unwrap_or(1 << 31);
    }
    (info.totalram as usize).saturating_mul(info.mem_unit as usize).max(1 << 30)
}

/// Whether the kernel moves pages across the borders of mappings, as Linux has
/// since 6.17: before, it refuses, and may have unmapped the target by then.
pub(crate) fn moves_across_mappings() -> bool {
    /// 1: no, 2: yes.
    static ANSWER: Once = Once(AtomicUsize::new(0));
    let answer = ANSWER.get(|| {
        // SAFETY: all zero is a valid `utsname`.
        let mut name: libc::utsname = unsafe { core::mem::zeroed() };
        // SAFETY: the kernel fills in the structure, which is ours.
        if unsafe { libc::uname(&raw mut name) } != 0 {
            return 1;
        }
        let mut numbers = name.release.split(|&c| !(c as u8).is_ascii_digit()).map(|digits| {
            let digit = |&c: &libc::c_char| u32::from(c as u8 - b'0');
            digits.iter().take(6).fold(0, |number, c| number * 10 + digit(c))
        });
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        1 + usize::from(version >= (6, 17))
    });
    answer == 2
}

/// How much address space one of the heap's ranges may come to use, in bytes:
/// as much as there is memory, or what `RLIMIT_AS` left at the start. Tables are sized by
/// it, and are address space themselves. Where it is too much, by a limit that is lowered later, less serves;
/// heaps that come to be larger, or are sparse, open another range.
pub(crate) fn address_room() -> usize {
    ADDRESS_ROOM.get(|| {
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
    })
}
